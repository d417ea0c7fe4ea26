/** Random passages with random filters over them, for tests. */
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import fc from "fast-check";
import type { FilterablePoint } from "../../../filter/compile.ts";
import type { BaseHit } from "../parts.ts";

/** The payload that filters see, as in a segment's directory. */
export function pointOf({
  documentId,
  ordinal,
  publishedAt,
  residency,
  collection,
  lang,
  metadata,
}: BaseHit): FilterablePoint {
  return {
    id: `${documentId}#${ordinal}`,
    otherIds: [documentId],
    payload: {
      ...(publishedAt === null ? {} : { published_at: publishedAt }),
      residency,
      collection,
      lang,
      metadata,
    },
  };
}

const IDS = ["a", "b#1", "b", "ælling", "漢字", "😀", "z z", '"q"', "a#2", "__proto__"] as const;
const scalar = fc.oneof(
  fc.constantFrom("red", "blue", "", "2020-06-01", "2020-06-01T12:00:00+02:00", "ærø", "😀", "0"),
  fc.constantFrom(-1, 0, 1, 2, 10, 2.5, 1e21),
  fc.boolean(),
  fc.constant(null),
);
const value = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.record({ d: scalar, "e.f": scalar }, { requiredKeys: [] }),
  fc.array(fc.record({ d: scalar, n: scalar }, { requiredKeys: [] }), { maxLength: 3 }),
);
const metadata = fc.dictionary(
  fc.constantFrom("a", "b", "c", "x.y", "[]", "lang", "metadata", "constructor"),
  value,
);
const documents = fc.uniqueArray(fc.constantFrom(...IDS), { minLength: 1 }).chain((ids) =>
  fc.tuple(
    ...ids.map((documentId) =>
      fc.record({
        documentId: fc.constant(documentId),
        version: fc.constantFrom("1", "18446744073709551616"),
        epoch: fc.integer({ min: 0, max: 3 }),
        residency: fc.constantFrom("eu", "global", "dk"),
        collection: fc.constantFrom("default", "other"),
        lang: fc.constantFrom("da", "en", null),
        publishedAt: fc.constantFrom("1999-01-01", "2020-06-01T12:00:00Z", null),
        title: fc.string({ unit: "binary" }),
        metadata,
        passages: fc.integer({ min: 1, max: 4 }),
      }),
    ),
  ),
);
/** Passages of a document need not be neighbours, nor in their order. */
export const randomPassages: fc.Arbitrary<readonly BaseHit[]> = documents
  .chain((drafts) => {
    const all = drafts.flatMap(({ passages: count, ...document }) =>
      Array.from({ length: count }, (_, at) => ({ ...document, ordinal: at + 1, text: `${at} of ${count}` })),
    );
    return fc.shuffledSubarray(all, { minLength: all.length });
  })
  .map((rows) => rows);

const METADATA_KEYS = [
  "a",
  "b",
  "c",
  "a.d",
  "b[]",
  "a[].d",
  '"x.y"',
  'b."e.f"',
  "lang",
  "constructor",
  "none",
];
const OTHER_KEYS = [
  "lang",
  "lang.x",
  "residency",
  "residency[]",
  "collection",
  "published_at",
  "title",
  "none",
];
const KEYS = [
  ...METADATA_KEYS.map((name) => `metadata.${name}`),
  ...OTHER_KEYS,
  "metadata",
  "metadata[]",
  ".",
];
const key = fc.constantFrom(...KEYS);
const texts = fc.array(fc.constantFrom("red", "blue", "da", "eu", "", "2020-06-01"), { maxLength: 3 });
const numbers = fc.array(fc.integer({ min: -1, max: 3 }), { maxLength: 3 });
const ids = fc.array(
  fc.oneof(
    fc.constantFrom(...IDS),
    fc.constantFrom("a#1", "b#1#2", "b#9", "😀#3", "漢字#01", "nobody", "#"),
    fc.nat(3),
  ),
  { maxLength: 3 },
);
const leafOf = (keys: fc.Arbitrary<string>): fc.Arbitrary<Condition> =>
  fc.oneof(
    fc.record({
      key: keys,
      match: fc.record({ value: fc.constantFrom("red", "da", "eu", "", 0, 1, true, false) }),
    }),
    fc.record({ key: keys, match: fc.record({ any: fc.oneof(texts, numbers) }) }),
    fc.record({ key: keys, match: fc.record({ except: fc.oneof(texts, numbers) }) }),
    fc.record({ key: keys, match: fc.record({ text: fc.constantFrom("re", "19", "", "zz") }) }),
    fc.record({ key: keys, range: fc.record({ gte: fc.integer({ min: -1, max: 3 }), lt: fc.constant(10) }) }),
    fc.record({ key: keys, range: fc.record({ gt: fc.constant(null), lte: fc.constantFrom(0, 2.5) }) }),
    fc.record({
      key: keys,
      range: fc.record({ lt: fc.constantFrom("2010-01-01T00:00:00Z", "2020-06-01T11:00:00Z") }),
    }),
    fc.record({ key: keys, values_count: fc.record({ gt: fc.integer({ min: 0, max: 2 }) }) }),
    fc.record({ is_empty: fc.record({ key: keys }) }),
    fc.record({ is_null: fc.record({ key: keys }) }),
    fc.record({ has_id: ids }),
  );
const clauseOf = (leaf: fc.Arbitrary<Condition>) => fc.oneof(leaf, fc.array(leaf, { maxLength: 2 }));
const groupOf = (leaf: fc.Arbitrary<Condition>): fc.Arbitrary<Filter> =>
  fc.record(
    {
      must: clauseOf(leaf),
      should: clauseOf(leaf),
      must_not: clauseOf(leaf),
      min_should: fc.record({
        conditions: fc.array(leaf, { maxLength: 3 }),
        min_count: fc.integer({ min: 0, max: 3 }),
      }),
    },
    { requiredKeys: [] },
  );
const inner = leafOf(fc.constantFrom("d", "n", "a", "a.d", ".", "[]"));
const nested: fc.Arbitrary<Condition> = fc
  .record({ key, filter: groupOf(fc.oneof(inner, groupOf(inner))) })
  .map((of) => ({ nested: of }));
const leaf = fc.oneof({ weight: 4, arbitrary: leafOf(key) }, nested);
export const randomFilters: fc.Arbitrary<Filter> = fc.oneof(
  fc.record({ should: fc.array(leaf, { minLength: 1, maxLength: 4 }) }),
  fc.record({ must_not: clauseOf(leaf) }),
  groupOf(fc.oneof({ weight: 4, arbitrary: leaf }, groupOf(leaf))),
);
