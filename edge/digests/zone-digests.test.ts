import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { volumeKey, rootKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import {
  copiesResponseSchema,
  encodeKey,
  rangesResponseSchema,
  scrubResponseSchema,
  SUSPECTS_MAX,
  type CopiesResponse,
  type FoundCopy,
  type ScrubResponse,
} from "@kattegat/protocol/digests.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DIMENSIONS, law } from "../testing/corpus.fixture.ts";
import { startFaultyEdge, type FaultyEdge } from "../testing/faulty-edge.fixture.ts";
import { ROWS_MAX } from "./rows-limit.ts";

/** Of a paid plan, at times at which it had fewer. */
const SUBREQUESTS_MAX = 1_000;

let faulty: FaultyEdge;
beforeAll(async () => {
  faulty = await startFaultyEdge();
});
afterAll(() => faulty.edge.close());
beforeEach(async () => {
  await faulty.tell(null);
  await faulty.edge.reset();
});

async function ask(verb: "ranges" | "copies" | "scrub", body: object): Promise<unknown> {
  const { edge } = faulty;
  const headers = {
    ...(await edge.siteHeaders("global", "replication")),
    "content-type": "application/json",
  };
  const { model } = edge.network.embedding;
  const answer = await edge.fetch("global", `/internal/digests/${verb}`, {
    method: "POST",
    headers,
    body: JSON.stringify({ model, ...body }),
  });
  expect(answer.status).toBe(200);
  return answer.json();
}
const copies = async (body: object): Promise<CopiesResponse> =>
  copiesResponseSchema.parse(await ask("copies", { documents: [], keys: [], ...body }));

/** Every document with a damaged passage, by a scrub of everything. */
async function suspects(): Promise<readonly string[]> {
  const found: string[] = [];
  let from: ScrubResponse["next"] = null;
  do {
    const answer = scrubResponseSchema.parse(await ask("scrub", { from, rows: 1_000 }));
    found.push(...answer.suspects);
    from = answer.next;
  } while (from !== null);
  return found.toSorted();
}

/** Texts that deflate cannot shorten, so that rows lie apart. */
function longLaws(prefix: string, count: number, idOf = (number: number) => `${prefix}-${number}`) {
  const random = seededRandom(7);
  return Array.from({ length: count }, (_, number) => {
    const words = Array.from({ length: 200 }, () => Math.floor(random() * 36 ** 6).toString(36));
    return law(idOf(number), `sag ${number} ${words.join(" ")}`);
  });
}

async function publishedBase(laws: Parameters<FaultyEdge["edge"]["publishBase"]>[1]): Promise<ManifestBase> {
  const { base } = await faulty.edge.publishBase("global", laws);
  if (base === null) throw new Error("a base was published");
  return base;
}

async function objectAt(key: string): Promise<Uint8Array<ArrayBuffer>> {
  const headers = await faulty.edge.siteHeaders("global", "replication");
  const answer = await faulty.edge.fetch("global", `/internal/cold/objects/${key}`, { headers });
  expect(answer.status).toBe(200);
  return new Uint8Array(await answer.arrayBuffer());
}

describe("what a zone reads of its bucket for a comparison (I25)", () => {
  it("is no more for one answer than a Worker may ask for; copies that are left, and a large one, go on in the next", async () => {
    const large = longLaws("large", ROWS_MAX + 150, () => "large");
    await publishedBase([...longLaws("a", 700), ...large]);
    const ids = ["large", ...Array.from({ length: SUSPECTS_MAX - 1 }, (_, number) => `a-${number * 2}`)];
    let left: readonly string[] = ids.map((id) => encodeKey(keyOf(id)));
    let from: CopiesResponse["next"] = null;
    const found: FoundCopy[] = [];
    const answers: number[] = [];
    while (left.length > 0) {
      const answer: CopiesResponse = await copies({ keys: left, ...(from === null ? {} : { from }) });
      found.push(...answer.copies);
      answers.push((await faulty.account()).reads);
      expect(answer.left.length < left.length || answer.next !== null).toBe(true);
      ({ left, next: from } = answer);
    }
    expect(found.map(({ document_id: id }) => id).toSorted()).toEqual(ids.toSorted());
    expect(found.every(({ damaged, class: name }) => damaged === 0 && name === "global")).toBe(true);
    expect(answers.length).toBeGreaterThan(2);
    expect(Math.max(...answers)).toBeLessThanOrEqual(SUBREQUESTS_MAX);
    expect(await suspects()).toEqual([]);
  });

  it("is no more where every row of a segment is damaged, and each is read alone to tell which", async () => {
    const laws = Array.from({ length: 300 }, (_, number) => law(`d-${number}`, `frist i sag ${number}`));
    const { segments } = await faulty.edge.publish("global", laws);
    const [segment] = segments;
    if (segment === undefined) throw new Error("a segment was published");
    const bytes = await objectAt(segment.key);
    // Vectors as floats and the texts come last; a byte of each.
    const floatBytes = DIMENSIONS * 4;
    for (let at = bytes.length - 300 * floatBytes; at < bytes.length; at += floatBytes / 2)
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    await faulty.edge.putObject("global", segment.key, bytes);
    const first = scrubResponseSchema.parse(await ask("scrub", { from: null, rows: 1_000 }));
    expect(first.rows).toBe(ROWS_MAX);
    expect(first.suspects.length).toBeGreaterThan(100);
    const { reads } = await faulty.account();
    expect(reads).toBeGreaterThan(100);
    expect(reads).toBeLessThanOrEqual(SUBREQUESTS_MAX);
  });

  it("shows the bytes of a base that were flipped or cut off, in the documents that they are of", async () => {
    const laws = longLaws("b", 400);
    const base = await publishedBase(laws);
    const key = volumeKey(base, "rows", 0);
    const bytes = await objectAt(key);
    const spoilt = bytes.slice();
    const middle = spoilt.length >> 1;
    spoilt[middle] = (spoilt[middle] ?? 0) ^ 1;
    await faulty.edge.putObject("global", key, spoilt);
    const flipped = await suspects();
    expect(flipped.length).toBeGreaterThan(0);
    expect(flipped.length).toBeLessThan(100);
    const others = laws.map(({ id }) => id).filter((id) => !flipped.includes(id));
    const read = await copies({ documents: [...flipped, ...others.slice(0, 50)] });
    const damaged = read.copies.filter(({ damaged: count }) => count > 0);
    expect(damaged.map(({ document_id: id }) => id).toSorted()).toEqual(flipped);
    expect(read.copies).toHaveLength(flipped.length + 50);

    await faulty.edge.putObject("global", key, bytes.slice(0, bytes.length - 20_000));
    const cut = await suspects();
    expect(cut.length).toBeGreaterThan(0);
    expect(cut.length).toBeLessThan(400);
    expect(cut).not.toEqual(flipped);
  });

  it("is nothing of a base whose root is damaged: its copies count as missing", async () => {
    const base = await publishedBase(longLaws("c", 60));
    const documents = async (): Promise<number> =>
      rangesResponseSchema.parse(await ask("ranges", { depth: 0, indexes: [0] })).documents;
    expect(await documents()).toBe(60);
    const root = await objectAt(rootKey(base));
    const spoilt = root.slice();
    spoilt[100] = (spoilt[100] ?? 0) ^ 1;
    await faulty.edge.reset();
    await faulty.edge.putObject("global", rootKey(base), spoilt);
    await faulty.edge.publish("global", [], { base, segments: [] });
    expect(await documents()).toBe(0);
  });
});
