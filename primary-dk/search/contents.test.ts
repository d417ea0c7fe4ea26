import { afterAll, beforeAll, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
beforeAll(async () => {
  postgres = await startPostgres();
  test = await startPrimary(await postgres.database());
});
afterAll(async () => {
  await test.close();
  await postgres.stop();
});

const text = "§ 1. Loven gælder. § 2. Loven træder i kraft.";
const put = async (id: string, title: string) => {
  await test.client.put(id, { title, text, residency: "global" });
  const { contents } = test.primary;
  const [found] = await contents.read([{ document_id: id, ordinal: 1 }]);
  expect(found?.content.title).toBe(title);
  return contents.characters;
};

it("leaves no text in memory that was replaced or deleted", async () => {
  const one = await put("one", "Lov");
  expect(one).toBeGreaterThan(0);
  expect(await put("two", "Anden lov")).toBe(2 * one);
  expect(await put("one", "Lov, ny udgave")).toBe(2 * one);
  await test.client.send("/internal/documents/one", { method: "DELETE" });
  await test.client.send("/internal/documents/two", { method: "DELETE" });
  expect(test.primary.contents.characters).toBe(0);
});
