import type { Filter } from "@kattegat/protocol/filter.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { matches } from "../filter/compile.ts";
import { exactDot } from "../vector/dot.ts";
import { testScanner } from "../vector/scanner.fixture.ts";
import { clusteredVectors } from "../vector/vectors.fixture.ts";
import { createPassageIndex, type IndexedPoint } from "./passage-index.ts";
import { sparseDot } from "./sparse-scores.ts";
import { seededRandom } from "../seeded-random.ts";

const scanner = testScanner();
const DIMENSIONS = 4;

/** What the index must be indistinguishable from. */
function bruteForce(
  points: readonly IndexedPoint[],
  options: { limit: number; filter: Filter | null; grouped: boolean },
) {
  const order = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1);
  return (score: (point: IndexedPoint) => number | null) => {
    const scored = points
      .filter(({ id, payload }) => options.filter === null || matches(options.filter, { id, payload }))
      .flatMap((point) => {
        const value = score(point);
        return value === null ? [] : [{ point, score: value }];
      })
      .toSorted(
        (a, b) => b.score - a.score || order(a.point.group, b.point.group) || a.point.order - b.point.order,
      );
    const groups = new Set<string>();
    return scored
      .filter(({ point }) => {
        if (!options.grouped) return true;
        if (groups.has(point.group)) return false;
        groups.add(point.group);
        return true;
      })
      .slice(0, options.limit)
      .map(({ point, score: value }) => ({
        id: point.id,
        group: point.group,
        score: value,
        payload: point.payload,
      }));
  };
}

const sparseArbitrary = fc
  .uniqueArray(fc.record({ term: fc.integer({ min: 0, max: 7 }), value: fc.integer({ min: -2, max: 4 }) }), {
    selector: ({ term }) => term,
    maxLength: 5,
  })
  .map((entries) => {
    const sorted = entries.toSorted((a, b) => a.term - b.term);
    return {
      indices: Uint32Array.from(sorted, ({ term }) => term),
      values: Float32Array.from(sorted, ({ value }) => value / 3),
    };
  });
const denseArbitrary = fc
  .array(fc.integer({ min: -3, max: 3 }), { minLength: DIMENSIONS, maxLength: DIMENSIONS })
  .map((values) => Float32Array.from(values));
const pointArbitrary: fc.Arbitrary<IndexedPoint> = fc
  .record({
    document: fc.integer({ min: 0, max: 9 }),
    order: fc.integer({ min: 1, max: 4 }),
    dense: fc.option(denseArbitrary),
    sparse: fc.option(sparseArbitrary),
    residency: fc.constantFrom("eu", "dk-only", "global"),
    number: fc.integer({ min: 0, max: 5 }),
    tags: fc.subarray(["a", "b", "c"]),
  })
  .map(({ document, order, dense, sparse, residency, number, tags }) => ({
    id: `d${document}#${order}`,
    group: `d${document}`,
    order,
    dense,
    sparse,
    payload: { residency, number, tags },
  }));
const leafArbitrary = fc.oneof(
  fc.subarray(["eu", "dk-only", "global"]).map((any) => ({ key: "residency", match: { any } })),
  fc.constantFrom("a", "b").map((value) => ({ key: "tags", match: { value } })),
  fc.integer({ min: 0, max: 5 }).map((gte) => ({ key: "number", range: { gte } })),
  fc.integer({ min: 0, max: 9 }).map((n) => ({ has_id: [`d${n}#1`, `d${n}#2`] })),
  fc.constant({ is_empty: { key: "tags" } }),
);
const filterArbitrary: fc.Arbitrary<Filter | null> = fc.option(
  fc.record(
    {
      must: fc.array(leafArbitrary, { maxLength: 2 }),
      should: fc.array(leafArbitrary, { maxLength: 2 }),
      must_not: fc.array(leafArbitrary, { maxLength: 2 }),
      min_should: fc.record({
        conditions: fc.array(leafArbitrary, { maxLength: 3 }),
        min_count: fc.integer({ min: 0, max: 2 }),
      }),
    },
    { requiredKeys: [] },
  ),
);

describe("a passage index", () => {
  it("is indistinguishable from scoring every point, whatever was put, replaced and removed before", () => {
    const step = fc.oneof(
      { weight: 3, arbitrary: fc.record({ put: fc.array(pointArbitrary, { maxLength: 6 }) }) },
      { weight: 1, arbitrary: fc.record({ remove: fc.integer({ min: 0, max: 9 }) }) },
    );
    const query = fc.record({
      limit: fc.integer({ min: 1, max: 12 }),
      grouped: fc.boolean(),
      filter: filterArbitrary,
      dense: denseArbitrary,
      sparse: sparseArbitrary,
    });
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(query, { minLength: 3, maxLength: 6 }),
        (steps, queries) => {
          const index = createPassageIndex({
            dimensions: DIMENSIONS,
            scanner,
            keywordFields: ["residency", "tags"],
          });
          const model = new Map<string, IndexedPoint>();
          for (const action of steps) {
            if ("put" in action) {
              index.upsert(action.put);
              for (const point of action.put) model.set(point.id, point);
            } else {
              const ids = [1, 2, 3, 4].map((n) => `d${action.remove}#${n}`);
              expect(index.remove(ids)).toBe(ids.filter((id) => model.delete(id)).length);
            }
          }
          expect(index.size).toBe(model.size);
          for (const { dense, sparse, ...options } of queries) {
            const expected = bruteForce([...model.values()], options);
            expect(index.searchDense(dense, options)).toEqual(
              expected((point) => (point.dense === null ? null : exactDot(dense, point.dense))),
            );
            const wanted = new Set(sparse.indices);
            expect(index.searchSparse(sparse, options)).toEqual(
              expected((point) =>
                point.sparse?.indices.some((term) => wanted.has(term))
                  ? sparseDot(sparse, point.sparse)
                  : null,
              ),
            );
            const selected = [...index.select(options.filter)].map(({ id }) => id);
            expect(index.count(options.filter)).toBe(selected.length);
          }
          for (const point of model.values()) expect(index.get(point.id)).toEqual(point);
        },
      ),
      { numRuns: 150 },
    );
  });

  it("uses slots again, so that replacing points for ever needs no more memory", () => {
    const index = createPassageIndex({ dimensions: DIMENSIONS, scanner });
    const put = (round: number) =>
      index.upsert(
        Array.from({ length: 2_000 }, (_, i) => ({
          id: `d${i}#1`,
          group: `d${i}`,
          order: 1,
          dense: Float32Array.of(i, round, 0, 1),
          sparse: { indices: Uint32Array.of(i % 50, 100 + i), values: Float32Array.of(1, round) },
          payload: {},
        })),
      );
    for (let round = 0; round < 4; round += 1) put(round);
    const before = index.memoryBytes();
    for (let round = 4; round < 20; round += 1) put(round);
    const { postings, ...others } = index.memoryBytes();
    expect(others).toEqual({ quantized: before.quantized, floats: before.floats, sparse: before.sparse });
    expect(postings).toBeLessThanOrEqual(before.postings * 2);
    const sparse = { indices: Uint32Array.of(105), values: Float32Array.of(1) };
    expect(index.searchSparse(sparse, { limit: 10, grouped: false })).toEqual([
      { id: "d5#1", group: "d5", score: 19, payload: {} },
    ]);
  });

  it.each([
    { limit: 10, grouped: false, least: 0.99 },
    { limit: 40, grouped: false, least: 0.99 },
    { limit: 10, grouped: true, least: 0.999 },
    { limit: 100, grouped: true, least: 0.999 },
  ])("finds the exact top among clustered vectors: $limit, grouped $grouped", ({ limit, grouped, least }) => {
    const random = seededRandom(5);
    const vectors = clusteredVectors(6_000, { dimensions: 384, centres: 60, random });
    const index = createPassageIndex({ dimensions: 384, scanner });
    index.upsert(
      vectors.map((dense, i) => {
        const group = `d${Math.floor(i / 5)}`;
        return { id: `${group}#${i % 5}`, group, order: i % 5, dense, sparse: null, payload: {} };
      }),
    );
    let found = 0;
    let wanted = 0;
    for (const query of clusteredVectors(60, { dimensions: 384, centres: 60, random: seededRandom(5) })) {
      const exact = index.searchDense(query, { limit, grouped, exact: true });
      const hits = new Map(index.searchDense(query, { limit, grouped }).map(({ id, score }) => [id, score]));
      wanted += exact.length;
      for (const { id, score } of exact) if (hits.get(id) === score) found += 1;
    }
    expect(found / wanted).toBeGreaterThanOrEqual(least);
  });

  // More ties than estimates are looked at: boilerplate provisions are many and equal.
  it.each([40, 2_000])("finds %i equal vectors' ties in the order of their documents", (ties) => {
    const index = createPassageIndex({ dimensions: 384, scanner });
    const random = seededRandom(6);
    const [same = new Float32Array(384), ...others] = clusteredVectors(3_000, {
      dimensions: 384,
      centres: 5,
      random,
    });
    index.upsert(
      [...others, ...Array.from({ length: ties }, () => same)].map((dense, i) => {
        const group = `d${String(9_999 - i)}`;
        return { id: `${group}#1`, group, order: 1, dense, sparse: null, payload: {} };
      }),
    );
    const hits = index.searchDense(same, { limit: 10, grouped: false });
    expect(hits.map(({ group }) => group)).toEqual(
      Array.from({ length: 10 }, (_, i) => `d${9_999 - 2_998 - ties + i}`),
    );
  });

  it("knows a point by its document's id when has_id may mean documents", () => {
    const index = createPassageIndex({ dimensions: 2, scanner, hasId: "point or group" });
    const point = (id: string, group: string) => ({
      id,
      group,
      order: 1,
      dense: null,
      sparse: null,
      payload: {},
    });
    index.upsert([point("a#1", "a"), point("a#2", "a"), point("b#1", "b")]);
    expect([...index.select({ must_not: [{ has_id: ["a"] }] })].map(({ id }) => id)).toEqual(["b#1"]);
    expect(index.count({ must: [{ has_id: ["a#2", "b"] }] })).toBe(2);
  });

  it("refuses vectors of another length and leaves the index as it was", () => {
    const index = createPassageIndex({ dimensions: 3, scanner });
    const point = { id: "a#1", group: "a", order: 1, sparse: null, payload: {} };
    expect(() => index.upsert([{ ...point, dense: Float32Array.of(1, 2) }])).toThrow(
      "expected 3 dimensions, got 2",
    );
    expect(index.size).toBe(0);
    expect(() => index.searchDense(Float32Array.of(1), { limit: 1, grouped: false })).toThrow(
      "expected 3 dimensions",
    );
  });
});
