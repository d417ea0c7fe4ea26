import { describe, expect, it } from "vitest";
import { mapFilterKey, mapFilterKeys } from "./filter-keys.ts";
import { filterSchema } from "./filter.ts";

describe("mapFilterKeys", () => {
  it("leaves the document's own fields under their names", () => {
    for (const key of ["lang", "residency", "collection", "tier", "published_at"])
      expect(mapFilterKey(key)).toBe(key);
  });

  it("takes every other bare key for metadata", () => {
    expect(mapFilterKey("source")).toBe("metadata.source");
    expect(mapFilterKey("court.name")).toBe("metadata.court.name");
    expect(mapFilterKey("text")).toBe("metadata.text");
    expect(mapFilterKey("document_id")).toBe("metadata.document_id");
    expect(mapFilterKey("languages")).toBe("metadata.languages");
  });

  it("leaves a key that names metadata already", () => {
    expect(mapFilterKey("metadata.source")).toBe("metadata.source");
    expect(mapFilterKey("metadata")).toBe("metadata");
  });

  it("maps every clause, a single condition too", () => {
    const mapped = mapFilterKeys({
      must: { key: "lang", match: { value: "da" } },
      should: [{ key: "year", range: { gte: 2_000 } }, { is_empty: { key: "source" } }],
      must_not: [{ is_null: { key: "source" } }, { must: [{ key: "tags", values_count: { gt: 1 } }] }],
      min_should: { conditions: [{ key: "a", match: { any: ["x"] } }], min_count: 1 },
    });
    expect(mapped).toEqual({
      must: { key: "lang", match: { value: "da" } },
      should: [{ key: "metadata.year", range: { gte: 2_000 } }, { is_empty: { key: "metadata.source" } }],
      must_not: [
        { is_null: { key: "metadata.source" } },
        { must: [{ key: "metadata.tags", values_count: { gt: 1 } }] },
      ],
      min_should: { conditions: [{ key: "metadata.a", match: { any: ["x"] } }], min_count: 1 },
    });
  });

  it("leaves keys inside nested relative to the element", () => {
    const inner = { must: [{ key: "role", match: { value: "judge" } }] };
    expect(mapFilterKeys({ must: [{ nested: { key: "parties", filter: inner } }] })).toEqual({
      must: [{ nested: { key: "metadata.parties", filter: inner } }],
    });
  });

  it("turns document ids into a condition on document_id", () => {
    expect(mapFilterKeys({ must_not: [{ has_id: ["gdpr", 7] }] })).toEqual({
      must_not: [{ key: "document_id", match: { any: ["gdpr", "7"] } }],
    });
  });

  it("turns a passage id into document and ordinal", () => {
    expect(mapFilterKeys({ must: [{ has_id: ["gdpr", "udhr#3"] }] })).toEqual({
      must: [
        {
          should: [
            { key: "document_id", match: { any: ["gdpr"] } },
            {
              must: [
                { key: "document_id", match: { value: "udhr" } },
                { key: "ordinal", match: { value: 3 } },
              ],
            },
          ],
        },
      ],
    });
  });

  it("matches nothing for an empty list of ids", () => {
    expect(mapFilterKeys({ must: [{ has_id: [] }] })).toEqual({
      must: [{ key: "document_id", match: { any: [] } }],
    });
  });

  it("gives a filter that the filter's schema accepts", () => {
    const mapped = mapFilterKeys({ must: [{ has_id: ["a#1", "b"] }, { key: "x", match: { text: "y" } }] });
    expect(filterSchema.safeParse(mapped).success).toBe(true);
  });
});
