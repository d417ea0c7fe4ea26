import { encodeManifest, type ManifestSegment } from "@kattegat/engine/cold/manifest.ts";
import type { SearchResponse } from "@kattegat/protocol/search.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { law } from "../testing/corpus.fixture.ts";
import { startFaultyEdge, type FaultyEdge } from "../testing/faulty-edge.fixture.ts";
import { MANIFEST_AGE_MS_MAX } from "./manifest-reader.ts";
import { SUBREQUESTS_MAX } from "./subrequests.ts";

let faulty: FaultyEdge;
beforeAll(async () => {
  faulty = await startFaultyEdge();
});
afterAll(() => faulty.edge.close());
beforeEach(async () => {
  await faulty.tell(null);
  await faulty.edge.reset();
});

const lawsOf = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, number) => law(`${prefix}-${number}`, `frist for klage i sag ${number}`));
const QUESTION = { query: "frist for klage i sag 7", mode: "lexical", limit: 5 } as const;

async function subrequests(): Promise<number> {
  const { reads, cacheOperations, calls } = await faulty.account();
  return reads + cacheOperations + calls;
}

describe("the subrequests of a search", () => {
  it("are those of the bucket and the cache together, work after the answer too: no more than 40", async () => {
    await faulty.edge.publishBase("global", lawsOf("a", 400), { tail: lawsOf("b", 40) });
    const place = faulty.newPlace();
    for (const query of ["frist", "klage i sag 11", "frist for klage i sag 12"]) {
      const { partial } = await faulty.ask({ query }, place);
      expect(partial).toBe(false);
      expect(await subrequests()).toBeLessThanOrEqual(SUBREQUESTS_MAX);
    }
    // All that a question needs is kept where it was asked: the same one costs next to nothing.
    await faulty.ask({ query: "klage i sag 11" }, place);
    expect(await subrequests()).toBeLessThanOrEqual(2);
  });

  it("are made in other invocations where six already wait: the answer is the same, and told whole", async () => {
    // Texts that deflate cannot shorten lie far apart.
    const random = seededRandom(3);
    const laws = Array.from({ length: 1_200 }, (_, number) => {
      const words = Array.from({ length: 300 }, () => Math.floor(random() * 36 ** 6).toString(36));
      return law(`long-${number}`, `${number % 40 === 7 ? "kalksten" : "grus"} ${words.join(" ")}`);
    });
    await faulty.edge.publishBase("global", laws);
    const { hits, partial } = await faulty.ask(
      { query: "kalksten", mode: "lexical", limit: 30 },
      faulty.newPlace(),
    );
    expect(partial).toBe(false);
    expect(new Set(hits.map(({ document_id }) => document_id))).toEqual(
      new Set(Array.from({ length: 30 }, (_, number) => `long-${number * 40 + 7}`)),
    );
    const { calls, reads } = await faulty.account();
    expect(calls).toBeGreaterThan(0);
    expect(await subrequests()).toBeLessThanOrEqual(SUBREQUESTS_MAX);
    // The other zone reads the same objects through its second bucket, none of them twice.
    await faulty.edge.publish("eu", []);
    const question = { query: "kalksten", mode: "lexical", limit: 30 };
    const there = await faulty.ask(question, faulty.newPlace(), "eu");
    expect(there.partial).toBe(false);
    expect(there.hits.map(({ document_id }) => document_id).toSorted()).toEqual(
      hits.map(({ document_id }) => document_id).toSorted(),
    );
    const inEu = await faulty.account("eu");
    expect(inEu.calls).toBeGreaterThan(0);
    // Its own manifest and its own segment come on top.
    expect(inEu.reads).toBeLessThanOrEqual(reads + 2);
  });

  it("do not suffice for more segments than a generation has: what is left out makes the answer partial, and is named", async () => {
    const segments: ManifestSegment[] = [];
    for (let number = 0; number < 45; number += 1) {
      const manifest = await faulty.edge.publish("global", lawsOf(`s${number}`, 1));
      segments.push(...manifest.segments);
      if (number === 44)
        await faulty.edge.putObject("global", "manifest.json", encodeManifest({ ...manifest, segments }));
    }
    const place = faulty.newPlace();
    const first = await faulty.ask({ ...QUESTION, limit: 100 }, place);
    expect(await subrequests()).toBe(SUBREQUESTS_MAX);
    expect(first.partial).toBe(true);
    expect(first.tiers[0]?.reason).toMatch(/^\d+ segments or pieces .* beyond the 40 subrequests/);
    // Those that are open now need not be read again.
    const second = await faulty.ask({ ...QUESTION, limit: 100 }, place);
    expect(second.partial).toBe(false);
    expect(second.hits).toHaveLength(45);
  });

  it("are bounded while reads fail", async () => {
    await faulty.edge.publishBase("global", lawsOf("a", 400), { tail: lawsOf("b", 40) });
    await faulty.tell({ kind: "error", share: 0.5, seed: 3 });
    for (let round = 0; round < 10; round += 1) {
      await faulty.ask(QUESTION, faulty.newPlace());
      expect(await subrequests()).toBeLessThanOrEqual(SUBREQUESTS_MAX);
    }
  });
});

describe("a publication", () => {
  const shown = ({ partial, tiers, hits }: SearchResponse) =>
    [partial, tiers[0]?.watermark, hits[0]?.document_id.split("-")[0]] as const;

  it("makes no search wait: the generation before is served while the next one's base is opened (I12)", async () => {
    const before = await faulty.edge.publishBase("global", lawsOf("before", 300));
    const place = faulty.newPlace();
    expect(shown(await faulty.ask(QUESTION, place))).toEqual([false, "10", "before"]);
    const after = await faulty.edge.publishBase("global", lawsOf("after", 300));
    await faulty.edge.putObject("global", "manifest.json", encodeManifest(before));
    // Its root does not come, however long anybody waits.
    const root = `${after.base?.key}.root`;
    await faulty.tell({ kind: "hang", share: 1, seed: 1, prefix: root });
    const next = { ...after, generation: 2, watermark: { epoch: 1, sequence: "12" } };
    await faulty.edge.putObject("global", "manifest.json", encodeManifest(next));
    await new Promise((resolve) => setTimeout(resolve, MANIFEST_AGE_MS_MAX));
    // This one reads the new manifest, and leaves the root to come behind its answer.
    expect(shown(await faulty.ask(QUESTION, place))).toEqual([false, "10", "before"]);
    expect((await faulty.accountSoFar()).reads).toBeGreaterThanOrEqual(2);
    expect(shown(await faulty.ask({ ...QUESTION, query: "klage i sag 8" }, place))[0]).toBe(false);
    await faulty.tell(null);
    await expect
      .poll(async () => shown(await faulty.ask(QUESTION, place)), { timeout: 5_000 })
      .toEqual([false, "12", "after"]);
  });

  it("is waited for by one who has seen a later write", async () => {
    const before = await faulty.edge.publishBase("global", lawsOf("before", 300));
    const place = faulty.newPlace();
    await faulty.ask(QUESTION, place);
    const after = await faulty.edge.publishBase("global", lawsOf("after", 300));
    const next = { ...after, generation: before.generation + 1, watermark: { epoch: 1, sequence: "12" } };
    await faulty.edge.putObject("global", "manifest.json", encodeManifest(next));
    const answer = await faulty.ask({ ...QUESTION, min_sequence: "12" }, place);
    expect(shown(answer)).toEqual([false, "12", "after"]);
  });

  it("is not held back for long: what it hides is hidden two seconds later at most", async () => {
    const before = await faulty.edge.publishBase("global", lawsOf("before", 300));
    const place = faulty.newPlace();
    await faulty.ask(QUESTION, place);
    const after = await faulty.edge.publishBase("global", lawsOf("after", 300));
    await faulty.tell({ kind: "hang", share: 1, seed: 1, prefix: `${after.base?.key}.root` });
    const next = { ...after, generation: before.generation + 1, watermark: { epoch: 1, sequence: "12" } };
    await faulty.edge.putObject("global", "manifest.json", encodeManifest(next));
    await expect
      .poll(async () => shown(await faulty.ask(QUESTION, place)), { timeout: 10_000 })
      .toEqual([true, "12", undefined]);
  });
});
