import { compileFilter } from "../filter/compile.ts";
import { mapFilterKeys } from "@kattegat/protocol/filter-keys.ts";
import type { Condition } from "@kattegat/protocol/filter.ts";
import { describe, expect, it } from "vitest";
import { coldFilterOf } from "./cold-filter.ts";

const fields = {
  lang: "da",
  residency: "global",
  collection: "default",
  published_at: "2020-06-01T00:00:00.000Z",
};
const documents = [
  { id: "cold", metadata: { document_id: "gdpr", tier: "hot", ordinal: 2 } },
  { id: "gdpr", metadata: {} },
  { id: "2020-06-01", metadata: { tier: null, document_id: [] } },
  { id: "7", metadata: { tier: ["a", "b"], document_id: 7 } },
];

/** Every form that a condition on one key has. */
function formsOn(key: string): readonly Condition[] {
  const values = ["cold", "hot", "co", "", "gdpr", 7, true];
  return [
    ...values.map((value): Condition => ({ key, match: { value } })),
    { key, match: { any: ["hot", "cold"] } },
    { key, match: { any: ["hot"] } },
    { key, match: { any: [7] } },
    { key, match: { any: [] } },
    { key, match: { except: ["hot", "warm"] } },
    { key, match: { except: ["cold", "gdpr"] } },
    { key, match: { except: [1] } },
    { key, match: { except: [] } },
    { key, match: { text: "ol" } },
    { key, match: { text: "cold" } },
    { key, match: { text: "ultra-hot" } },
    { key, range: { gte: 0 } },
    { key, range: {} },
    { key, range: { lt: "2030-01-01T00:00:00Z" } },
    { key, values_count: { gte: 1 } },
    { key, values_count: { gt: 1 } },
    { key, values_count: { lte: 1 } },
    { key, values_count: {} },
    { is_empty: { key } },
    { is_null: { key } },
    { nested: { key, filter: { must: { key: "x", match: { value: 1 } } } } },
  ];
}

const conditions = [
  ...["tier", "document_id", "metadata.tier", "metadata.document_id", "ordinal"].flatMap(formsOn),
  ...[["cold"], ["gdpr#1"], ["gdpr#2", "7"], [7], [], ["nobody"]].map((has_id): Condition => ({ has_id })),
];

/** Ids of the documents whose passage passes, at a tier that keeps the whole payload. */
function passElsewhere(condition: Condition, clause: "must" | "must_not"): readonly string[] {
  const test = compileFilter(mapFilterKeys({ [clause]: [condition] }));
  return documents
    .filter(({ id, metadata }) =>
      test({
        id: "a point's own",
        payload: { ...fields, document_id: id, ordinal: 1, tier: "cold", metadata },
      }),
    )
    .map(({ id }) => id);
}

/** The same over what a segment keeps: ids apart, no tier. */
function passCold(condition: Condition, clause: "must" | "must_not"): readonly string[] {
  const test = compileFilter(coldFilterOf({ [clause]: [condition] }));
  return documents
    .filter(({ id, metadata }) => test({ id: `${id}#1`, otherIds: [id], payload: { ...fields, metadata } }))
    .map(({ id }) => id);
}

describe("a filter at the cold tier", () => {
  it.each(conditions)("finds by %j what it would find at any other tier (I6)", (condition) => {
    for (const clause of ["must", "must_not"] as const)
      expect(passCold(condition, clause), clause).toEqual(passElsewhere(condition, clause));
  });

  it("finds something by the tier in each form that is true of it", () => {
    expect(passCold({ key: "tier", values_count: { gte: 1 } }, "must")).toHaveLength(documents.length);
    expect(passCold({ key: "tier", match: { text: "ol" } }, "must")).toHaveLength(documents.length);
    expect(passCold({ key: "tier", match: { value: "hot" } }, "must")).toEqual([]);
  });
});
