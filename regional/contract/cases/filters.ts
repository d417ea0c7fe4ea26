/** What holds of filters. */
import { describe, expect, it } from "vitest";
import type { Call, Filled } from "../qdrant-under-test.ts";
import { UUID } from "./points.fixture.ts";

/** Title, filter, ids of the points that pass, in the order of scroll. */
const CASES: readonly (readonly [title: string, filter: object, ids: readonly unknown[]])[] = [
  ["match a keyword", { must: [{ key: "lang", match: { value: "da" } }] }, [1, 2]],
  ["match an integer", { must: [{ key: "n", match: { value: 10 } }] }, [10]],
  ["match a boolean", { must: [{ key: "flag", match: { value: true } }] }, [2]],
  ["match any element of a list", { must: [{ key: "tags", match: { value: "y" } }] }, [1]],
  [
    "match one of several values",
    { must: [{ key: "document_id", match: { any: ["a", "c"] } }] },
    [1, 2, UUID],
  ],
  [
    "match all but some values, never what is missing",
    { must: [{ key: "document_id", match: { except: ["a"] } }] },
    [10, UUID],
  ],
  ["match an exception never for null", { must: [{ key: "lang", match: { except: ["en"] } }] }, [1, 2]],
  ["match text as a part, in its case", { must: [{ key: "text", match: { text: "Education" } }] }, [10]],
  [
    "do not match text in another case without an index",
    { must: [{ key: "text", match: { text: "education" } }] },
    [],
  ],
  ["compare numbers", { must: [{ key: "n", range: { gt: 1, lte: 10 } }] }, [2, 10]],
  [
    "compare dates",
    { must: [{ key: "at", range: { gte: "2020-06-01T14:00:00+02:00", lt: "2024-01-01T00:00:00Z" } }] },
    [10],
  ],
  ["are false on a missing field", { must: [{ key: "missing", range: { gt: 0 } }] }, []],
  ["find what is missing, null or an empty list", { must: [{ is_empty: { key: "tags" } }] }, [2, 10, UUID]],
  ["find null as empty", { must: [{ is_empty: { key: "lang" } }] }, [10, UUID]],
  ["find null alone", { must: [{ is_null: { key: "lang" } }] }, [10]],
  ["count values", { must: [{ key: "tags", values_count: { gte: 2 } }] }, [1]],
  ["know ids", { must: [{ has_id: [10, UUID, 777] }] }, [10, UUID]],
  [
    "need one of should",
    {
      should: [
        { key: "n", match: { value: 1 } },
        { key: "n", match: { value: 10 } },
      ],
    },
    [1, 10],
  ],
  ["need none of must_not", { must_not: [{ key: "document_id", match: { value: "a" } }] }, [10, UUID]],
  [
    "nest",
    { must: [{ should: [{ has_id: [1] }, { must_not: [{ is_empty: { key: "at" } }] }] }] },
    [1, 10, UUID],
  ],
  [
    "need a least number",
    {
      min_should: {
        conditions: [
          { key: "lang", match: { value: "da" } },
          { key: "n", range: { gt: 2 } },
          { has_id: [10] },
        ],
        min_count: 2,
      },
    },
    [2, 10],
  ],
  ["follow a path", { must: [{ key: "nested.key", match: { value: "v" } }] }, [UUID]],
  ["look at elements of a list by path", { must: [{ key: "people[].name", match: { value: "B" } }] }, [1]],
  [
    "do not need one element for several conditions",
    {
      must: [
        { key: "people[].name", match: { value: "A" } },
        { key: "people[].age", match: { value: 2 } },
      ],
    },
    [1],
  ],
  [
    "need one element for nested conditions",
    {
      must: [
        {
          nested: {
            key: "people",
            filter: {
              must: [
                { key: "name", match: { value: "A" } },
                { key: "age", match: { value: 2 } },
              ],
            },
          },
        },
      ],
    },
    [],
  ],
  [
    "find one element for nested conditions",
    {
      must: [
        {
          nested: {
            key: "people",
            filter: {
              must: [
                { key: "name", match: { value: "B" } },
                { key: "age", match: { value: 2 } },
              ],
            },
          },
        },
      ],
    },
    [1],
  ],
  ["let everything pass when they are empty", {}, [1, 2, 10, UUID]],
];

export function describeFilters(call: Call, filled: Filled): void {
  describe("filters", () => {
    it("hold what is documented of them", async () => {
      const name = await filled();
      for (const [title, filter, ids] of CASES) {
        const { result } = await call("POST", `/collections/${name}/points/scroll`, { filter, limit: 100 });
        expect(
          result.points.map(({ id }: { id: unknown }) => id),
          title,
        ).toEqual(ids);
        expect(
          (await call("POST", `/collections/${name}/points/count`, { filter, exact: true })).result,
          title,
        ).toEqual({ count: ids.length });
      }
    });

    it("give the same with payload indexes", async () => {
      const name = await filled();
      for (const [field_name, field_schema] of [
        ["document_id", "keyword"],
        ["lang", "keyword"],
        ["tags", "keyword"],
        ["n", "float"],
        ["at", "datetime"],
        ["flag", "bool"],
      ]) {
        expect(
          (await call("PUT", `/collections/${name}/index?wait=true`, { field_name, field_schema })).status,
        ).toBe(200);
      }
      for (const [title, filter, ids] of CASES) {
        const { result } = await call("POST", `/collections/${name}/points/scroll`, { filter, limit: 100 });
        expect(
          result.points.map(({ id }: { id: unknown }) => id),
          title,
        ).toEqual(ids);
      }
    });

    it("are refused when they are none", async () => {
      const name = await filled();
      for (const filter of [
        { must: [{ key: "a" }] },
        { must: [{ key: "a", match: { value: 1.5 } }] },
        { must: [{ key: "a", range: { gt: "yesterday" } }] },
      ]) {
        expect(
          (await call("POST", `/collections/${name}/points/scroll`, { filter })).status,
          JSON.stringify(filter),
        ).toBe(400);
      }
    });
  });
}
