import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import postgresJs from "postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, testKeyring, type TestPrimary } from "../primary.fixture.ts";

let postgres: PostgresFixture;
let url: string;
beforeAll(async () => {
  postgres = await startPostgres();
  url = await postgres.database();
});
afterAll(() => postgres.stop());

const put = async (test: TestPrimary, id: string): Promise<void> => {
  expect((await test.client.put(id, { title: "Lov", text: "§ 1. Loven gælder.", residency: "eu" })).ok).toBe(
    true,
  );
};
const fenceOf = (test: TestPrimary) => test.primary.applied.head.fence;

it("goes on with its reign after a stop, and after a crash that lost nothing", async () => {
  const first = await startPrimary(url);
  await put(first, "a");
  await first.close();
  const second = await startPrimary(url);
  await put(second, "b");
  const { reached } = second.primary;
  await second.close();
  expect(reached.reached).toEqual({ epoch: 1, sequence: "2" });
  // What a crash leaves: the database is further than what was noted.
  await reached.note({ epoch: 1, sequence: "1" });
  const third = await startPrimary(url);
  expect(fenceOf(third)).toEqual({ epoch: 1, sequence: "2" });
  await third.close();
});

it("begins a reign of its own when the database went back, so that what a site has of the changes after it diverges (I26)", async () => {
  const backup = await backupOf(url);
  const before = await startPrimary(url);
  for (const id of ["c", "d", "e"]) await put(before, id);
  const { sequence } = fenceOf(before);
  await before.close();
  const keyring = testKeyring(url);
  // Restored twice, the first time killed before anything is noted: neither reign issues what the other has.
  const twice = await backupOf(backup, "twice");
  const killed = await startPrimary(twice, { keyring });
  expect(fenceOf(killed)).toEqual({ epoch: 2, sequence: "2" });
  await put(killed, "lost");
  await killed.primary.database.close();
  const restored = await startPrimary(backup, { keyring });
  expect(fenceOf(restored)).toEqual({ epoch: 3, sequence: "2" });
  // As many changes again: the site's place has a number that this log has, too.
  for (const id of ["f", "g", "h", "i"]) await put(restored, id);
  const answer = await restored.client.send(`/internal/changes?target=eu-fra&after=${sequence}&epoch=1`);
  expect([answer.status, (await answer.json()).code]).toEqual([409, "divergence"]);
  await restored.close();
  const again = await startPrimary(backup, { keyring });
  expect(fenceOf(again)).toEqual({ epoch: 3, sequence: "6" });
  await again.close();
});

it("says which file is damaged, and what to do", async () => {
  const path = join(testKeyring(url).folder, "log-head");
  writeFileSync(path, "{");
  await expect(startPrimary(url)).rejects.toThrow(/log-head.*newest copy/);
  rmSync(path);
  await (await startPrimary(url)).close();
});

/** A database as this one is now. */
async function backupOf(database: string, suffix = "backup"): Promise<string> {
  const name = `${new URL(database).pathname.slice(1)}_${suffix}`;
  const sql = postgresJs(database.replace(/[^/]+$/, "postgres"), { max: 1 });
  await sql.unsafe(`create database ${name} template ${new URL(database).pathname.slice(1)}`);
  await sql.end();
  return database.replace(/[^/]+$/, name);
}
