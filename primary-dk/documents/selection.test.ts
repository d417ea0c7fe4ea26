import { selectionPageSchema, SELECTION_SCANNED_MAX } from "@kattegat/protocol/selection.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
const COUNT = SELECTION_SCANNED_MAX + 50;
beforeAll(async () => {
  postgres = await startPostgres();
  test = await startPrimary(await postgres.database());
  const lines = Array.from({ length: COUNT }, (_, number) => ({
    id: `d${number}`,
    title: "Sag",
    text: `Sag ${number}.`,
    residency: number % 2 === 0 ? "dk-only" : "global",
    tier: number % 3 === 0 ? "cold" : "hot",
    collection: number % 5 === 0 ? "other" : "default",
    metadata: { party: `p${number % 7}` },
  }));
  const results = await test.client.batch(lines);
  expect(results.every(({ status }) => status === 201)).toBe(true);
});
afterAll(async () => {
  await test.close();
  await postgres.stop();
});

async function select(filter: object, collection: string | null = null) {
  const ids: string[] = [];
  let pages = 0;
  for (let after: string | null = ""; after !== null; pages += 1) {
    const body = JSON.stringify({ filter, collection, after });
    const answer = await test.client.operate("/internal/documents:select", { method: "POST", body });
    expect(answer.status).toBe(200);
    const page = selectionPageSchema.parse(await answer.json());
    ids.push(...page.documents.map(({ id }) => id));
    ({ after } = page);
  }
  return { ids: new Set(ids), pages, found: ids.length };
}

const numbers = (passes: (number: number) => boolean): Set<string> =>
  new Set(
    Array.from({ length: COUNT }, (_, number) => number)
      .filter(passes)
      .map((number) => `d${number}`),
  );

describe("a selection of documents", () => {
  it("has every document that the filter means, of all tiers and classes, each once", async () => {
    const byParty = await select({ must: [{ key: "metadata.party", match: { value: "p3" } }] });
    expect(byParty).toEqual({
      ids: numbers((number) => number % 7 === 3),
      pages: 2,
      found: byParty.ids.size,
    });
    const cold = { must: [{ key: "tier", match: { value: "cold" } }], must_not: [{ has_id: ["d3"] }] };
    expect((await select(cold, "other")).ids).toEqual(numbers((number) => number % 15 === 0));
    expect((await select({ must: [{ key: "residency", match: { any: ["dk-only"] } }] })).ids).toEqual(
      numbers((number) => number % 2 === 0),
    );
  });

  it("refuses a filter that is none", async () => {
    for (const body of [
      "{",
      "{}",
      JSON.stringify({ filter: { must: [{ bogus: 1 }] }, collection: null, after: "" }),
    ]) {
      const answer = await test.client.operate("/internal/documents:select", { method: "POST", body });
      expect(answer.status).toBe(400);
    }
  });
});
