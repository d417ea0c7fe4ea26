import { decodeStatistics } from "@kattegat/engine/lexical/statistics.ts";
import { hash32 } from "@kattegat/engine/text/hash.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
let url: string;
let nowMs = 1_000_000;
beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.database();
  test = await startPrimary(url, { now: () => nowMs });
});
afterAll(async () => {
  await test.close();
  await postgres.stop();
});

const put = (id: string, word: string) =>
  test.client.put(id, { title: "x", text: `${word}.`, residency: "eu" });
async function published() {
  const response = await test.client.send("/internal/statistics");
  return {
    header: response.headers.get("x-kattegat-statistics-version"),
    ...decodeStatistics(new Uint8Array(await response.arrayBuffer())),
  };
}
const frequency = (table: { df(id: number): number }, word: string): number => table.df(hash32(word));

it("publishes a first table at once, then one for each change of 5 %, and any change after a minute", async () => {
  expect((await test.client.send("/internal/statistics")).status).toBe(404);
  expect(await test.primary.statistics.publishWhenDue()).toBe(false);
  await Promise.all(Array.from({ length: 40 }, (_, index) => put(`d${index}`, "havn")));
  expect(await test.primary.statistics.publishWhenDue()).toBe(true);
  const first = await published();
  expect([first.passages, frequency(first, "havn"), first.header]).toEqual([40, 40, first.version]);
  expect((await test.client.feed("eu-fra", "0")).head.statistics_version).toBe(first.version);
  await put("one-more", "havn");
  expect(await test.primary.statistics.publishWhenDue()).toBe(false);
  nowMs += 60_000;
  expect(await test.primary.statistics.publishWhenDue()).toBe(true);
  expect((await published()).passages).toBe(41);
  expect(await test.primary.statistics.publishWhenDue()).toBe(false);
});

it("counts passages that are there: replaced and deleted ones are taken back", async () => {
  await Promise.all([0, 1, 2, 3].map((index) => put(`d${index}`, "skov")));
  await Promise.all(
    [4, 5].map((index) => test.client.send(`/internal/documents/d${index}`, { method: "DELETE" })),
  );
  await test.primary.statistics.publishWhenDue();
  const table = await published();
  expect([table.passages, frequency(table, "havn"), frequency(table, "skov")]).toEqual([39, 35, 4]);
});

it("is known again after a restart, counted from what Postgres holds", async () => {
  const before = await published();
  await test.close();
  test = await startPrimary(url, { now: () => nowMs });
  expect((await published()).version).toBe(before.version);
  expect(test.primary.memory().statistics.passages).toBe(39);
  expect(test.primary.memory().statistics.df(hash32("havn"))).toBe(35);
});
