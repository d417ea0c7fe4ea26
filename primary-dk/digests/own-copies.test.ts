import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { passagesOf } from "../documents/passage-rows.ts";
import { sealedDocuments, SEALED_STATE, stateOfRow } from "../documents/state.ts";
import { Pacer } from "../pacer.ts";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";
import type { Fault } from "@kattegat/engine/digests/judge.ts";
import { OwnCopies } from "./own-copies.ts";
import { Recount } from "./recount.ts";
import { lastRepairs } from "./repairs.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  test = await startPrimary(await postgres.database());
  return () => test.close();
});

async function put(id: string, residency: string, tier: string, text = ""): Promise<void> {
  const answer = await test.client.put(id, { title: id, text: `Tekst ${id}. ${text}`, residency, tier });
  expect(answer.ok).toBe(true);
}

function comparison() {
  return test.primary.comparisons.get("dk-cph")?.comparison;
}

/** Until the next pass over Postgres and the index has ended. */
async function pass(): Promise<void> {
  const { recount, ownCopies } = test.primary;
  const before = comparison()?.rounds ?? 0;
  while ((comparison()?.rounds ?? 0) === before) {
    await recount.round();
    await ownCopies.round(0);
  }
}

async function repaired(): Promise<Readonly<Record<string, string>>> {
  const list = await lastRepairs(test.primary.database.sql, { site: "dk-cph", limit: 1_000 });
  return Object.fromEntries(list.map(({ document_id: id, kind }) => [id, kind]));
}

async function readDocument(id: string) {
  const { database, seals } = test.primary;
  const { sql } = database;
  const [row] = await sql`select ${sql(SEALED_STATE)} from ${sealedDocuments(sql)} where d.id = ${id}`;
  if (row === undefined) throw new Error(`expected ${id} in Postgres`);
  const passages = (await passagesOf(sql, [id], test.primary)).get(id) ?? [];
  return { state: stateOfRow(row, seals), passages };
}

it("finds and heals what the index lacks, has too much of, has of another version or class (I25)", async () => {
  for (let number = 1; number <= 8; number += 1) await put(`hot-${number}`, "eu", "hot");
  await put("warm", "eu", "warm");
  await put("gone", "eu", "hot");
  const gone = await readDocument("gone");
  await test.client.send("/internal/documents/gone", { method: "DELETE" });
  const old = await readDocument("hot-2");
  await put("hot-2", "eu", "hot", "Ny udgave.");
  await pass();
  expect(comparison()).toMatchObject({ state: "equal", found: 0, repaired: 0, rounds: 1 });

  const { index } = test.primary.memory();
  const pacer = new Pacer(test.primary);
  index.remove("hot-1");
  await index.put(old.state, old.passages, pacer);
  const third = await readDocument("hot-3");
  await index.put({ ...third.state, residency: "dk-only" }, third.passages, pacer);
  const warm = await readDocument("warm");
  await index.put(warm.state, warm.passages, pacer);
  await index.put(gone.state, gone.passages, pacer);
  await pass();
  const wanted = { "hot-1": "missing", "hot-2": "stale", "hot-3": "divergent", warm: "extra", gone: "extra" };
  expect(await repaired()).toEqual(wanted);
  await pass();
  expect(comparison()).toMatchObject({ state: "equal", found: 5, repaired: 5, unhealed: 0 });
  for (const id of ["hot-1", "hot-2", "hot-3"]) {
    const { state } = await readDocument(id);
    expect(index.copyOf(id)).toMatchObject({ version: state.version, class: "eu" });
  }
  expect([index.copyOf("warm"), index.copyOf("gone")]).toEqual([null, null]);
});

it("calls nothing a fault that a write explains, while documents come, move and go (I25)", async () => {
  let isOver = false;
  const writing = (async () => {
    for (let round = 0; round < 60; round += 1) {
      const tier = round % 3 === 0 ? "warm" : "hot";
      await Promise.all([
        put(`busy-${round % 7}`, "eu", tier, `Udgave ${round}.`),
        put(`other-${round % 5}`, "eu", "hot", `Udgave ${round}.`),
        round % 4 === 0
          ? test.client.send(`/internal/documents/busy-${(round + 3) % 7}`, { method: "DELETE" })
          : null,
      ]);
    }
    isOver = true;
  })();
  while (!isOver) await pass();
  await writing;
  await pass();
  expect(comparison()).toMatchObject({ state: "equal", found: 0 });
  expect(comparison()?.rounds).toBeGreaterThan(2);
});

it("judges no document that was written to after Postgres was read (I25)", async () => {
  for (const id of ["hot-1", "hot-2"]) await put(id, "eu", "hot");
  const { database, network, site, planned, applied } = test.primary;
  const index = () => test.primary.memory().index;
  let edition = 0;
  const late = {
    async waitFor(...asked: Parameters<typeof applied.waitFor>) {
      edition += 1;
      await put("hot-1", "eu", "hot", `Udgave ${edition}.`);
      await test.client.send("/internal/documents/hot-2", { method: "DELETE" });
      return await applied.waitFor(...asked);
    },
  };
  const faults: Fault[] = [];
  const parts = { sql: database.sql, site, network, index, planned, applied: late };
  const own = new OwnCopies({
    ...parts,
    repair(found) {
      faults.push(...found);
      return Promise.resolve({ repairs: [], failed: [] });
    },
    report: () => {},
  });
  const pacer = { breathe: () => Promise.resolve() };
  const recount = new Recount({ ...parts, own, pacer });
  await own.round(0);
  while (!planned.isWhole && edition < 100) {
    await recount.round();
    await put("hot-2", "eu", "hot");
  }
  await own.round(0);
  expect(edition).toBeGreaterThan(1);
  expect(faults).toEqual([]);
});

it("tells of a copy that its repair did not heal (I25)", async () => {
  await put("hot", "eu", "hot");
  const { index } = test.primary.memory();
  const { remove } = index;
  const lose = (): void => remove.call(index, "hot");
  lose();
  await pass();
  expect(comparison()).toMatchObject({ state: "different", repaired: 1, unhealed: 0 });
  lose();
  await pass();
  expect(comparison()).toMatchObject({ state: "different", repaired: 2, unhealed: 1 });
  await pass();
  expect(comparison()).toMatchObject({ state: "equal", unhealed: 0 });
});
