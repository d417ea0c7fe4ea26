import { TIER_NAMES } from "@kattegat/config/network.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareCandidates, fuse, type SitedCandidate } from "./fuse.ts";
import { fusionOf } from "./fusion.ts";
import { GROUPINGS, type Grouping } from "./search.ts";

const candidate = (
  document_id: string,
  score: number,
  part: Partial<SitedCandidate> = {},
): SitedCandidate => ({
  document_id,
  ordinal: 1,
  score,
  tier: "hot",
  version: "1",
  residency: "global",
  site: "dk-cph",
  ...part,
});
const fusion = fusionOf("hashed-384-v1");
const ids = (hits: ReturnType<typeof fuse>): string[] =>
  hits.map(({ passage }) => `${passage.document_id}#${passage.ordinal}`);

/** A few equal scores on purpose: ties must be cut the same at every site. */
const score = fc.integer({ min: 0, max: 12 }).map((value) => value / 8);
/** Passages of a network: each document lives at one site. */
const corpus = fc
  .uniqueArray(
    fc.record({
      document: fc.integer({ min: 0, max: 25 }),
      ordinal: fc.integer({ min: 1, max: 4 }),
      dense: score,
      lexical: score,
    }),
    {
      selector: ({ document, ordinal }) => `${document}#${ordinal}`,
      maxLength: 70,
    },
  )
  .map((passages) =>
    passages.map(({ document, ordinal, dense, lexical }) => {
      const site = `s${document % 4}`;
      const part = { ordinal, site, tier: TIER_NAMES[document % 4] ?? "hot" };
      return {
        dense: candidate(`d${document}`, dense, part),
        lexical: candidate(`d${document}`, lexical, part),
      };
    }),
  );

/** What one exact index over these passages gives: its best `depth` of a list. */
function topOf(
  list: readonly SitedCandidate[],
  { groupBy, depth }: { readonly groupBy: Grouping; readonly depth: number },
): SitedCandidate[] {
  const seen = new Set<string>();
  return list
    .toSorted(compareCandidates)
    .filter(({ document_id, ordinal }) => {
      const key = groupBy === "document" ? document_id : `${document_id}#${ordinal}`;
      return seen.has(key) ? false : seen.add(key) !== undefined;
    })
    .slice(0, depth);
}

function sites(list: readonly SitedCandidate[]): SitedCandidate[][] {
  return ["s0", "s1", "s2", "s3"].map((site) => list.filter((entry) => entry.site === site));
}

describe("fusing", () => {
  it("gives from each site's best what one index over everything gives (I6)", () => {
    fc.assert(
      fc.property(
        corpus,
        fc.constantFrom(...GROUPINGS),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        (passages, groupBy, depth, isHybrid) => {
          const options = { groupBy, depth, fusion };
          const dense = passages.map((passage) => passage.dense);
          const lexical = passages.map((passage) => passage.lexical);
          const merged = fuse(
            {
              dense: sites(dense).flatMap((list) => topOf(list, options)),
              lexical: isHybrid ? sites(lexical).flatMap((list) => topOf(list, options)) : null,
            },
            options,
          );
          const whole = fuse(
            { dense: topOf(dense, options), lexical: isHybrid ? topOf(lexical, options) : null },
            options,
          );
          expect(merged).toEqual(whole);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("does not depend on the order in which sites answer (I6)", () => {
    fc.assert(
      fc.property(corpus, fc.integer(), (passages, seed) => {
        const dense = passages.map((passage) => passage.dense);
        const lexical = passages.map((passage) => passage.lexical);
        const shuffled = <T>(list: readonly T[]): T[] =>
          list
            .toSorted((a, b) => JSON.stringify([seed, a]).length - JSON.stringify([seed, b]).length)
            .toReversed();
        const options = { groupBy: "document", depth: 50, fusion } as const;
        expect(fuse({ dense: shuffled(dense), lexical: shuffled(lexical) }, options)).toEqual(
          fuse({ dense, lexical }, options),
        );
      }),
    );
  });

  it("names each key once, ranks from 1 without gaps", () => {
    fc.assert(
      fc.property(corpus, fc.constantFrom(...GROUPINGS), (passages, groupBy) => {
        const hits = fuse(
          { dense: passages.map(({ dense }) => dense), lexical: passages.map(({ lexical }) => lexical) },
          { groupBy, depth: 100, fusion },
        );
        const keys = hits.map(({ passage }) =>
          groupBy === "document" ? passage.document_id : `${passage.document_id}#${passage.ordinal}`,
        );
        expect(new Set(keys).size).toBe(keys.length);
        const ranks = hits.flatMap(({ dense }) => dense?.rank ?? []).toSorted((a, b) => a - b);
        expect(ranks).toEqual(ranks.map((_, index) => index + 1));
      }),
    );
  });

  it.each([
    ["hashed-384-v1", 0.3 / 3, 0.3 / 4 + 1 / 3],
    ["learned-384-0123456789abcdef", 0.3 / 3, 0.3 / 4 + 1 / 3],
    ["text-embedding-3-small", 1 / 61, 1 / 62 + 1 / 61],
  ])("adds the weighted reciprocals of both ranks by the model %s", (model, byDense, byBoth) => {
    const [first, second] = fuse(
      { dense: [candidate("a", 0.9), candidate("b", 0.8)], lexical: [candidate("b", 7)] },
      { groupBy: "document", depth: 10, fusion: fusionOf(model) },
    );
    expect(first).toMatchObject({
      dense: { rank: 2 },
      lexical: { rank: 1 },
      denseScore: 0.8,
      lexicalScore: 7,
    });
    expect(first?.score).toBeCloseTo(byBoth, 12);
    expect(second).toMatchObject({ dense: { rank: 1 }, lexical: null, lexicalScore: null });
    expect(second?.score).toBeCloseTo(byDense, 12);
  });

  it("gives the shown passage's own scores, the places by whichever passage has them (I6)", () => {
    const lists = {
      dense: [candidate("a", 0.9, { ordinal: 8 }), candidate("b", 0.8, { ordinal: 1 })],
      lexical: [candidate("b", 12, { ordinal: 3 }), candidate("a", 11.18, { ordinal: 16 })],
    };
    const hits = fuse(lists, { groupBy: "document", depth: 10, fusion });
    expect(hits).toEqual([
      expect.objectContaining({
        passage: expect.objectContaining({ document_id: "b", ordinal: 3 }),
        denseScore: null,
        lexicalScore: 12,
        dense: { rank: 2, ordinal: 1 },
        lexical: { rank: 1, ordinal: 3 },
      }),
      expect.objectContaining({
        passage: expect.objectContaining({ document_id: "a", ordinal: 8 }),
        denseScore: 0.9,
        lexicalScore: null,
        dense: { rank: 1, ordinal: 8 },
        lexical: { rank: 2, ordinal: 16 },
      }),
    ]);
  });

  it("never shows a passage with a score that the same list gave to another (I6)", () => {
    fc.assert(
      fc.property(corpus, fc.constantFrom(...GROUPINGS), (passages, groupBy) => {
        const dense = passages.map((passage) => passage.dense);
        const lexical = passages.map((passage) => passage.lexical);
        for (const hit of fuse({ dense, lexical }, { groupBy, depth: 100, fusion })) {
          const isShown = (entry: SitedCandidate): boolean =>
            entry.document_id === hit.passage.document_id && entry.ordinal === hit.passage.ordinal;
          expect([null, dense.find(isShown)?.score]).toContain(hit.denseScore);
          expect([null, lexical.find(isShown)?.score]).toContain(hit.lexicalScore);
        }
      }),
    );
  });

  it("keeps a single list's own scores and order", () => {
    const hits = fuse(
      { dense: null, lexical: [candidate("b", 3), candidate("a", 3), candidate("c", 9)] },
      { groupBy: "document", depth: 10, fusion },
    );
    expect(hits.map(({ passage, score: own }) => [passage.document_id, own])).toEqual([
      ["c", 9],
      ["a", 3],
      ["b", 3],
    ]);
  });

  it("ranks by the newer version alone while two sites hold a document, in both lists (I10)", () => {
    const old = { version: "9", site: "eu-fra", tier: "warm" } as const;
    const hits = fuse(
      {
        dense: [candidate("a", 0.9, old), candidate("a", 0.2, { version: "10" })],
        lexical: [candidate("a", 8, old)],
      },
      { groupBy: "document", depth: 10, fusion },
    );
    expect(hits).toHaveLength(1);
    expect(hits[0]).toMatchObject({
      passage: { version: "10", site: "dk-cph" },
      denseScore: 0.2,
      lexicalScore: null,
    });
  });

  it("shows one copy of a document that two sites hold in the same version (I10)", () => {
    const warm = { site: "eu-fra", tier: "warm" } as const;
    const other = { site: "eu-arn", tier: "warm" } as const;
    const list = [
      candidate("a", 0.9, warm),
      candidate("a", 0.9, other),
      candidate("a", 0.9),
      candidate("b", 0.5),
    ];
    for (const dense of [list, list.toReversed()]) {
      expect(ids(fuse({ dense, lexical: dense }, { groupBy: "passage", depth: 10, fusion }))).toEqual([
        "a#1",
        "b#1",
      ]);
    }
  });

  it("finds a document whatever site answers first when regionals hold the same copies (I6)", () => {
    const fra = [candidate("a", 0.9, { site: "eu-fra", tier: "warm", ordinal: 2 })];
    const arn = [
      candidate("a", 0.4, { site: "eu-arn", tier: "warm", ordinal: 1 }),
      candidate("a", 0.9, { site: "eu-arn", tier: "warm", ordinal: 2 }),
    ];
    for (const dense of [
      [...fra, ...arn],
      [...arn, ...fra],
    ]) {
      const [hit] = fuse({ dense, lexical: null }, { groupBy: "document", depth: 10, fusion });
      expect(hit).toMatchObject({ score: 0.9, passage: { ordinal: 2, site: "eu-arn" } });
    }
  });
});
