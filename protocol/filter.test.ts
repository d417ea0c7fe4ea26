import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FILTER_CONDITIONS_MAX, FILTER_DEPTH_MAX, FILTER_VALUES_MAX, filterSchema } from "./filter.ts";

const condition = { key: "lang", match: { value: "da" } };
const isFilter = (value: unknown): boolean => filterSchema.safeParse(value).success;
const nest = (levels: number): unknown => (levels <= 1 ? { must: condition } : { must: [nest(levels - 1)] });

describe("a filter", () => {
  it.each([
    {},
    { must: null },
    { must: condition },
    { must: [condition], must_not: [{ has_id: ["x", 7] }], should: [] },
    { min_should: { conditions: [condition], min_count: 1 } },
    { must: [{ key: "n", range: { gte: 1, lt: 2.5 } }] },
    { must: [{ key: "published_at", range: { gte: "2024-01-01T00:00:00Z" } }] },
    {
      must: [
        { key: "tags", match: { any: ["a", "b"] } },
        { key: "n", match: { except: [1, 2] } },
      ],
    },
    { must: [{ key: "title", match: { text: "skat" } }] },
    {
      must: [
        { is_empty: { key: "x" } },
        { is_null: { key: "y" } },
        { key: "tags", values_count: { gte: 2 } },
      ],
    },
    { must: [{ nested: { key: "parts", filter: { must: [condition] } } }] },
    { must: [{ should: [condition, { must_not: [condition] }] }] },
  ])("takes %j", (filter) => {
    expect(isFilter(filter)).toBe(true);
  });

  it.each([
    [[condition]],
    ["must"],
    [7],
    [{ mustt: [condition] }],
    [{ must: [{ key: "lang" }] }],
    [{ must: [{ key: "", match: { value: "x" } }] }],
    [{ must: [{ key: "lang", match: { value: 1.5 } }] }],
    [{ must: [{ key: "lang", match: { value: "a", any: ["b"] } }] }],
    [{ must: [{ key: "tags", match: { any: ["a", 1] } }] }],
    [{ must: [{ key: "n", range: { gte: "yesterday" } }] }],
    [{ must: [{ key: "n", range: { above: 1 } }] }],
    [{ must: [{ key: "tags", values_count: { gte: -1 } }] }],
    [{ must: [{ has_id: [-1] }] }],
    [{ min_should: { conditions: [condition] } }],
    [{ must: [null] }],
  ])("refuses %j", (filter) => {
    expect(isFilter(filter)).toBe(false);
  });

  it("takes a filter of the greatest depth, refuses a deeper one", () => {
    expect(isFilter(nest(FILTER_DEPTH_MAX))).toBe(true);
    expect(isFilter(nest(FILTER_DEPTH_MAX * 3 + 1))).toBe(false);
  });

  it("refuses a million levels without a stack overflow", () => {
    let deep: unknown = condition;
    for (let level = 0; level < 1_000_000; level += 1) deep = { must: [deep] };
    expect(isFilter(deep)).toBe(false);
    let arrays: unknown = condition;
    for (let level = 0; level < 1_000_000; level += 1) arrays = [arrays];
    expect(isFilter({ must: arrays })).toBe(false);
  });

  it("takes the greatest number of conditions, refuses three times as many", () => {
    const wide = (count: number): unknown => ({ must: Array.from({ length: count }, () => condition) });
    expect(isFilter(wide(FILTER_CONDITIONS_MAX))).toBe(true);
    expect(isFilter(wide(FILTER_CONDITIONS_MAX + 1))).toBe(false);
    const clauses = (count: number): unknown => ({ must: Array.from({ length: 3 }, () => wide(count)) });
    expect(isFilter(clauses(FILTER_CONDITIONS_MAX))).toBe(false);
  });

  it("takes the greatest number of values, refuses one more", () => {
    const ids = (count: number): unknown => ({
      must: [{ has_id: Array.from({ length: count }, (_, index) => index) }],
    });
    expect(isFilter(ids(FILTER_VALUES_MAX))).toBe(true);
    expect(isFilter(ids(FILTER_VALUES_MAX + 1))).toBe(false);
  });

  it("answers yes or no to any JSON, in bounded time", () => {
    fc.assert(
      fc.property(fc.json(), (text) => void isFilter(JSON.parse(text))),
      { numRuns: 500 },
    );
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 6 }),
        (value) => void isFilter({ must: value, should: [value], min_should: value }),
      ),
      { numRuns: 500 },
    );
  });

  it("is what it was, once it is parsed", () => {
    const filter = { must: [condition, { key: "n", range: { gte: 1, lt: null } }], should: null };
    expect(filterSchema.parse(filter)).toEqual(filter);
  });
});
