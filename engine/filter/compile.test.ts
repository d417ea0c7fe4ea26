import type { Condition } from "@kattegat/protocol/filter.ts";
import { describe, expect, it } from "vitest";
import { matches } from "./compile.ts";

const payload = {
  word: "Lov om adresser",
  number: 5,
  flag: true,
  nothing: null,
  none: [],
  tags: ["a", "b"],
  mixed: [1, null],
  issued: "2017-02-01",
  changed: "2020-05-01T10:00:00+02:00",
  metadata: { source: "eli", deep: { n: 1 }, "a.b": 2 },
  parts: [
    { kind: "x", n: 1, list: [1, 2] },
    { kind: "y", n: 9, list: [3] },
  ],
};
const point = { id: "d#1", otherIds: ["d"], payload };

const CASES: readonly (readonly [string, Condition, boolean])[] = [
  ["a value", { key: "number", match: { value: 5 } }, true],
  ["another value", { key: "number", match: { value: 6 } }, false],
  ["a value of another type", { key: "flag", match: { value: 1 } }, false],
  ["any element of an array", { key: "tags", match: { value: "b" } }, true],
  ["one of several values", { key: "tags", match: { any: ["z", "a"] } }, true],
  ["none of several values", { key: "tags", match: { any: ["z"] } }, false],
  ["no value at all", { key: "tags", match: { any: [] } }, false],
  ["an element that is not excepted", { key: "tags", match: { except: ["a"] } }, true],
  ["excepted elements only", { key: "tags", match: { except: ["a", "b"] } }, false],
  ["a missing field with except", { key: "missing", match: { except: ["a"] } }, false],
  ["null with except", { key: "nothing", match: { except: ["a"] } }, false],
  ["another type with except", { key: "number", match: { except: ["a"] } }, true],
  ["a part of a text", { key: "word", match: { text: "om adr" } }, true],
  ["a part in another case", { key: "word", match: { text: "lov" } }, false],
  ["a missing field", { key: "missing", match: { value: "a" } }, false],
  ["a number in a range", { key: "number", range: { gt: 4, lte: 5 } }, true],
  ["a number at an open end", { key: "number", range: { lt: 5 } }, false],
  ["a text in a range of numbers", { key: "word", range: { gte: 0 } }, false],
  ["a missing field in a range", { key: "missing", range: { gte: 0 } }, false],
  ["a number among others in a range", { key: "mixed", range: { gte: 1 } }, true],
  ["a day in a range of times", { key: "issued", range: { gte: "2017-02-01T00:00:00Z" } }, true],
  ["a time with an offset", { key: "changed", range: { lt: "2020-05-01T08:00:01Z" } }, true],
  ["a time after the range", { key: "changed", range: { lt: "2020-05-01T08:00:00Z" } }, false],
  ["a number in a range of times", { key: "number", range: { gte: "1970-01-01T00:00:00Z" } }, false],
  ["a dotted key", { key: "metadata.deep.n", match: { value: 1 } }, true],
  ["a quoted key with a dot", { key: 'metadata."a.b"', match: { value: 2 } }, true],
  ["a key through array elements", { key: "parts[].kind", match: { value: "y" } }, true],
  ["arrays within array elements", { key: "parts[].list", match: { value: 3 } }, true],
  ["a key through an array without brackets", { key: "parts.kind", match: { value: "y" } }, false],
  ["a missing field as empty", { is_empty: { key: "missing" } }, true],
  ["an empty array as empty", { is_empty: { key: "none" } }, true],
  ["null as empty", { is_empty: { key: "nothing" } }, true],
  ["a value as empty", { is_empty: { key: "number" } }, false],
  ["a missing field as null", { is_null: { key: "missing" } }, false],
  ["null as null", { is_null: { key: "nothing" } }, true],
  ["null among elements as null", { is_null: { key: "mixed" } }, true],
  ["a count of elements", { key: "tags", values_count: { gte: 2, lt: 3 } }, true],
  ["a single value counts one", { key: "number", values_count: { gte: 1, lte: 1 } }, true],
  ["a count of a missing field", { key: "missing", values_count: { lt: 5 } }, false],
  ["its id", { has_id: ["x", "d#1"] }, true],
  ["its document's id", { has_id: ["d"] }, true],
  ["another id", { has_id: ["x", 7] }, false],
  [
    "conditions on the same element",
    {
      nested: {
        key: "parts",
        filter: {
          must: [
            { key: "kind", match: { value: "x" } },
            { key: "n", range: { lt: 5 } },
          ],
        },
      },
    },
    true,
  ],
  [
    "conditions on different elements",
    {
      nested: {
        key: "parts[]",
        filter: {
          must: [
            { key: "kind", match: { value: "x" } },
            { key: "n", range: { gt: 5 } },
          ],
        },
      },
    },
    false,
  ],
  ["prototype names as missing", { key: "constructor", match: { except: ["a"] } }, false],
];

describe("a filter", () => {
  it.each(CASES)("decides about %s as Qdrant does", (_, condition, passes) => {
    expect(matches({ must: [condition] }, point)).toBe(passes);
    expect(matches({ must: condition }, point)).toBe(passes);
    expect(matches({ must_not: [condition] }, point)).toBe(!passes);
    expect(matches({ should: [condition] }, point)).toBe(passes);
    expect(matches({ must: [{ should: [{ must: [condition] }] }] }, point)).toBe(passes);
    expect(matches({ min_should: { conditions: [condition], min_count: 1 } }, point)).toBe(passes);
  });

  it("passes everything when it has no conditions", () => {
    expect(matches({}, point)).toBe(true);
    expect(matches({ must: null, should: [], must_not: [] }, point)).toBe(true);
  });
});
