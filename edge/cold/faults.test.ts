import { BASE_FILES } from "@kattegat/engine/cold/base/piece.ts";
import { encodeManifest, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { encodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { SearchResponse } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { law, type Law } from "../testing/corpus.fixture.ts";
import { UNWEIGHED } from "../search/unweighed.ts";
import { startFaultyEdge, type FaultyEdge, type Place } from "../testing/faulty-edge.fixture.ts";
import type { Faults } from "../testing/faulty-worker.fixture.ts";

let faulty: FaultyEdge;
beforeAll(async () => {
  faulty = await startFaultyEdge();
});
afterAll(() => faulty.edge.close());
beforeEach(async () => {
  await faulty.tell(null);
  await faulty.edge.reset();
});

const SUBJECTS = ["frist for klage", "tilladelse til byggeri", "skat af ejendom", "værn om natur"];
const lawsOf = (word: string): readonly Law[] =>
  Array.from({ length: 300 }, (_, number) =>
    law(`law-${number}`, `${SUBJECTS[number % 4] ?? ""} i ${word} ${number} hos nævn ${number % 17}`, {
      metadata: { year: 1_990 + (number % 30) },
    }),
  );
const LAWS = lawsOf("sag");
const TAIL = Array.from({ length: 20 }, (_, number) =>
  law(`new-${number}`, `${SUBJECTS[number % 4] ?? ""} i ny sag ${number}`, { metadata: { year: 2_000 } }),
);
const FILTER = { must: [{ key: "metadata.year", range: { gte: 2_000, lt: 2_010 } }] };
const QUESTIONS = [
  { query: "frist for klage nævn 3", mode: "dense", limit: 100 },
  { query: "skat af ejendom i sag 122", mode: "lexical", limit: 100 },
  { query: "byggeri hos nævn 5", mode: "dense", limit: 20, filter: FILTER },
  { query: "natur", mode: "lexical", limit: 20, filter: FILTER },
] as const;

type Question = (typeof QUESTIONS)[number];

/** What a caller sees of a hit. */
const seen = ({ hits }: SearchResponse): readonly unknown[] =>
  hits.map(({ document_id, score, title, snippet }) => [document_id, score.toFixed(4), title, snippet]);

/** Words that could not be weighed score otherwise, which the answer says. */
const isUnweighed = ({ tiers }: SearchResponse): boolean =>
  tiers.some(({ reason }) => reason?.includes(UNWEIGHED) === true);

/** Nothing that is not in the index, nothing that the filter refuses, nothing with another's words or score. */
function expectNothingWrong(answer: SearchResponse, question: Question, truth: SearchResponse): void {
  const known = new Map([...LAWS, ...TAIL].map((each) => [each.id, each]));
  const scores = new Map(truth.hits.map(({ document_id, score }) => [document_id, score]));
  for (const { document_id, title, score } of answer.hits) {
    const found = known.get(document_id);
    expect(found).toBeDefined();
    expect(title).toBe(`Lov ${document_id}`);
    if ("filter" in question) expect(Number(found?.metadata["year"])).toBeGreaterThanOrEqual(2_000);
    if (!isUnweighed(answer)) expect(score).toBeCloseTo(scores.get(document_id) ?? score, 4);
  }
}

/** The whole rule: as without faults, or told to be partial with nothing wrong in it. */
async function expectRightOrPartial(
  question: Question,
  truth: SearchResponse,
  place: Place,
): Promise<boolean> {
  const answer = await faulty.ask(question, place);
  if (answer.partial) expectNothingWrong(answer, question, truth);
  else expect(seen(answer)).toEqual(seen(truth));
  return answer.partial;
}

/** How many of the answers are partial; each question is asked where nothing is cached, unless a place is given. */
async function partialOf(truth: readonly SearchResponse[], place: Place | null = null): Promise<number> {
  let partial = 0;
  for (const [at, question] of QUESTIONS.entries()) {
    const expected = truth[at];
    if (expected === undefined) throw new Error("expected an answer to each question");
    if (await expectRightOrPartial(question, expected, place ?? faulty.newPlace())) partial += 1;
  }
  return partial;
}

async function truths(): Promise<readonly SearchResponse[]> {
  const place = faulty.newPlace();
  const answers = [];
  for (const question of QUESTIONS) answers.push(await faulty.ask(question, place));
  expect(answers.map(({ partial }) => partial)).toEqual(QUESTIONS.map(() => false));
  expect(answers.map(({ hits }) => hits.length)).toEqual([100, 100, 20, 20]);
  return answers;
}

const publish = (): Promise<ColdManifest> => faulty.edge.publishBase("global", LAWS, { tail: TAIL });

describe("reads that fail", () => {
  it.each<Faults["kind"]>(["error", "throttled", "unavailable", "slow", "hang"])(
    "are made again or make the answer partial, never another: %s on a tenth of them (I13)",
    async (kind) => {
      await publish();
      const truth = await truths();
      await faulty.tell({ kind, share: 0.1, seed: 7 });
      let partial = 0;
      const rounds = kind === "hang" ? 2 : 8;
      for (let round = 0; round < rounds; round += 1) partial += await partialOf(truth);
      // One that fails twice in a row is a hundredth of them; an answer needs some fifteen.
      expect(partial).toBeLessThan((rounds * QUESTIONS.length) / 2);
      await faulty.tell(null);
      expect(await partialOf(truth)).toBe(0);
    },
  );

  it("make the answer partial where nothing can be read at all, and nothing of it is kept", async () => {
    await publish();
    const truth = await truths();
    const place = faulty.newPlace();
    await faulty.tell({ kind: "unavailable", share: 1, seed: 1, prefix: "bases/" });
    expect(await partialOf(truth, place)).toBe(QUESTIONS.length);
    await faulty.tell(null);
    expect(await partialOf(truth, place)).toBe(0);
  });

  it("of texts alone leave out those hits, say so, and show them when they can be read", async () => {
    await publish();
    const question = { query: "ny sag", mode: "lexical", limit: 30 } as const;
    const place = faulty.newPlace();
    const whole = await faulty.ask(question, place);
    // The location keeps the lists; an isolate that begins there has no text of them.
    const other = { ...place, isolate: faulty.newPlace().isolate };
    await faulty.tell({ kind: "error", share: 1, seed: 1, prefix: "segments/" });
    const answer = await faulty.ask(question, other);
    const isNew = ({ document_id }: SearchResponse["hits"][number]): boolean =>
      document_id.startsWith("new-");
    expect(answer.tiers[0]).toMatchObject({ cache: "hit", status: "unavailable" });
    expect(answer.partial).toBe(true);
    expect(whole.hits.some(isNew)).toBe(true);
    expect(answer.hits.some(isNew)).toBe(false);
    await faulty.tell(null);
    expect(seen(await faulty.ask(question, other))).toEqual(seen(whole));
  });
});

interface Damage {
  readonly name: string;
  readonly of: (bytes: Uint8Array, other: Uint8Array) => Uint8Array;
  /** Whether some question must meet it, whatever part of the object is read. */
  readonly isEverywhere: boolean;
}

const FLIP_EVERY = 64;
const DAMAGES: readonly Damage[] = [
  {
    name: "cut off",
    of: (bytes) => bytes.slice(0, Math.floor(bytes.byteLength / 2)),
    isEverywhere: false,
  },
  { name: "emptied", of: () => new Uint8Array(0), isEverywhere: true },
  { name: "swapped for another of its kind", of: (_, other) => other, isEverywhere: true },
  {
    name: "with a bit flipped now and then",
    of: (bytes) => bytes.map((byte, at) => (at % FLIP_EVERY === FLIP_EVERY - 1 ? byte ^ 0x10 : byte)),
    isEverywhere: true,
  },
];

describe("an object that is not what was written", () => {
  async function bytesOf(key: string): Promise<Uint8Array> {
    const headers = await faulty.edge.siteHeaders("global");
    const path = key === "manifest.json" ? "/internal/cold/manifest" : `/internal/cold/objects/${key}`;
    return new Uint8Array(await (await faulty.edge.fetch("global", path, { headers })).arrayBuffer());
  }

  const objectsOf = ({ base, segments }: ColdManifest): readonly string[] => {
    if (base === null) throw new Error("there is a base");
    const files = BASE_FILES.map((file) => volumeKey(base, file, 0));
    return [rootKey(base), ...files, ...segments.map(({ key }) => key)];
  };

  it.each(DAMAGES)(
    "never makes a wrong answer, nor a shorter one in silence: $name (I13)",
    async ({ of: damage, isEverywhere }) => {
      // Like the others in all but a word as long, so that its objects are as much like theirs as can be.
      const tail = TAIL.map(({ id, text, metadata }) => law(id, text.replace("sag", "lov"), { metadata }));
      const otherManifest = await faulty.edge.publishBase("global", lawsOf("lov"), { tail });
      const manifest = await publish();
      expect(otherManifest.segments[0]?.bytes).toBe(manifest.segments[0]?.bytes);
      const [others, keys] = [objectsOf(otherManifest), objectsOf(manifest)];
      const truth = await truths();
      const unnoticed: string[] = [];
      for (const [at, key] of keys.entries()) {
        const whole = await bytesOf(key);
        await faulty.edge.putObject("global", key, damage(whole, await bytesOf(others[at] ?? "")));
        if ((await partialOf(truth)) === 0) unnoticed.push(key);
        await faulty.edge.putObject("global", key, whole);
      }
      if (isEverywhere) expect(unnoticed).toEqual([]);
      expect(await partialOf(truth)).toBe(0);
    },
  );

  it.each(DAMAGES)("is the manifest, which then is not believed: $name (I13)", async ({ of: damage }) => {
    const manifest = await publish();
    const truth = await truths();
    const whole = new TextEncoder().encode(encodeManifest(manifest));
    // Of another bucket: everything that it names is elsewhere.
    const foreign: ColdManifest = {
      ...manifest,
      segments: manifest.segments.map((segment) => ({ ...segment, key: "segments/elsewhere.seg" })),
      base: manifest.base === null ? null : { ...manifest.base, key: "bases/elsewhere" },
    };
    const other = new TextEncoder().encode(encodeManifest(foreign));
    await faulty.edge.putObject("global", "manifest.json", damage(whole, other));
    expect(await partialOf(truth)).toBe(QUESTIONS.length);
    await faulty.edge.putObject("global", "manifest.json", whole);
    expect(await partialOf(truth)).toBe(0);
  });

  it("is an earlier manifest: erased documents stay erased, the answer says that it is old (I8, I13)", async () => {
    const first = await publish();
    const place = faulty.newPlace();
    const question = QUESTIONS[1];
    const { hits } = await faulty.ask(question, place);
    expect(hits[0]?.document_id).toBe("law-122");
    if (first.base === null) throw new Error("there is a base");
    const number = Array.from({ length: first.base.documents }, (_, at) => at);
    const erased: ColdManifest = {
      ...first,
      generation: 2,
      watermark: { epoch: 1, sequence: "11" },
      base: { ...first.base, tombstones: encodeNumbers(number), dead: number.length },
    };
    const put = (manifest: ColdManifest): Promise<void> =>
      faulty.edge.putObject("global", "manifest.json", encodeManifest(manifest));
    const shown = async (): Promise<readonly [boolean, string | undefined, boolean]> => {
      const { partial, tiers, hits: found } = await faulty.ask(question, place);
      return [partial, tiers[0]?.status, found.some(({ document_id }) => document_id.startsWith("law-"))];
    };
    await put(erased);
    await expect.poll(shown, { timeout: 5_000 }).toEqual([false, "ok", false]);
    await put(first);
    await expect.poll(shown, { timeout: 5_000 }).toEqual([true, "stale", false]);
    await put({ ...erased, generation: 3 });
    await expect.poll(shown, { timeout: 5_000 }).toEqual([false, "ok", false]);
  });
});
