import { matches } from "@kattegat/engine/filter/compile.ts";
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { mapFilterKeys } from "@kattegat/protocol/filter-keys.ts";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startQdrant, temporaryFolder } from "./process.fixture.ts";
import type { Folder, Running } from "./process.fixture.ts";
import { batch, put, search, startSite } from "./site.fixture.ts";
import type { Draft, SiteProcess } from "./site.fixture.ts";

let folder: Folder;
let qdrant: Running;
let site: SiteProcess;

const value = fc.oneof(
  fc.constantFrom("red", "blue", "green"),
  fc.integer({ min: 0, max: 4 }),
  fc.boolean(),
  fc.constant(null),
);
const metadata = fc.dictionary(
  fc.constantFrom("a", "b", "c"),
  fc.oneof(value, fc.array(value, { maxLength: 3 }), fc.record({ d: value })),
);
const drafts: readonly Draft[] = fc
  .sample(
    fc.record({
      metadata,
      lang: fc.constantFrom("da", "en", null),
      published_at: fc.constantFrom("1999-01-01", "2020-06-01T12:00:00Z", null),
    }),
    { numRuns: 60, seed: 7 },
  )
  .map((draft, index) => ({ ...draft, id: `doc-${index}`, sequence: index + 1, texts: ["one", "two"] }));

const key = fc.constantFrom("a", "b", "c", "a.d", "a[]", "metadata.b", "lang", "published_at", "missing");
const scalar = fc.oneof(fc.constantFrom("red", "blue", "da"), fc.integer({ min: 0, max: 4 }), fc.boolean());
const texts = fc.array(fc.constantFrom("red", "blue", "da"), { maxLength: 3 });
const leaf: fc.Arbitrary<Condition> = fc.oneof(
  fc.record({ key, match: fc.record({ value: scalar }) }),
  fc.record({ key, match: fc.record({ any: texts }) }),
  fc.record({ key, match: fc.record({ except: texts }) }),
  fc.record({ key, match: fc.record({ text: fc.constantFrom("re", "1999", "zz") }) }),
  fc.record({ key, range: fc.record({ gte: fc.integer({ min: 0, max: 4 }) }) }),
  fc.record({ key, range: fc.record({ lt: fc.constant("2010-01-01T00:00:00Z") }) }),
  fc.record({ key, values_count: fc.record({ gt: fc.integer({ min: 0, max: 2 }) }) }),
  fc.record({ is_empty: fc.record({ key }) }),
  fc.record({ is_null: fc.record({ key }) }),
  fc.record({ has_id: fc.array(fc.constantFrom("doc-1", "doc-2#2", "doc-5", "nobody"), { maxLength: 3 }) }),
);
const clause = fc.array(leaf, { maxLength: 2 });
const filters: fc.Arbitrary<Filter> = fc.record(
  {
    must: fc.array(
      fc.oneof({ weight: 3, arbitrary: leaf }, fc.record({ should: clause, must_not: clause })),
      { maxLength: 2 },
    ),
    should: clause,
    must_not: clause,
  },
  { requiredKeys: [] },
);

beforeAll(async () => {
  folder = await temporaryFolder();
  qdrant = await startQdrant(folder.path);
  site = await startSite(folder.path, [qdrant.url]);
});
afterAll(async () => {
  await site?.kill("SIGTERM");
  await qdrant?.kill("SIGTERM");
  await folder?.remove();
});

it("passes through a site exactly the passages that the engine's semantics pass", async () => {
  expect(
    (await site.post("/internal/apply", batch(drafts.map(put), { watermark: drafts.length }))).status,
  ).toBe(200);
  const passages = drafts.flatMap((draft) =>
    ["one", "two"].map((text, index) => {
      const payload = {
        document_id: draft.id,
        ordinal: index + 1,
        collection: "default",
        residency: "eu",
        lang: draft.lang ?? null,
        ...(draft.published_at === null ? {} : { published_at: draft.published_at }),
        text,
        metadata: draft.metadata ?? {},
      };
      return { id: `${draft.id}#${index + 1}`, payload };
    }),
  );
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(filters, async (filter) => {
      const mapped = mapFilterKeys(filter);
      const expected = passages.filter((point) => matches(mapped, point)).map(({ id }) => id);
      passed += expected.length;
      const { status, body } = await site.post(
        "/internal/search",
        search({ filter, group_by: "passage", candidates: 1_000, lexical: null, hydrated: 0 }),
      );
      expect(status, JSON.stringify(body)).toBe(200);
      const found = body.dense.map(
        (candidate: { document_id: string; ordinal: number }) =>
          `${candidate.document_id}#${candidate.ordinal}`,
      );
      expect(found.toSorted()).toEqual(expected.toSorted());
    }),
    { numRuns: 150, seed: 11 },
  );
  // Neither everything nor nothing, or the filters would test little.
  expect(passed / (150 * passages.length)).toBeGreaterThan(0.1);
  expect(passed / (150 * passages.length)).toBeLessThan(0.9);
});
