import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { passagesOf } from "../documents/passage-rows.ts";
import { sealedDocuments, SEALED_STATE, stateOfRow } from "../documents/state.ts";
import { Pacer } from "../pacer.ts";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";
import type { Fault } from "@kattegat/engine/digests/judge.ts";
import { createRepairBudget } from "@kattegat/engine/digests/repair-budget.ts";
import { OwnCopies, type OwnCopiesOptions, type OwnIndex } from "./own-copies.ts";
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
  const { recount, compareOwn } = test.primary;
  const before = comparison()?.rounds ?? 0;
  while ((comparison()?.rounds ?? 0) === before) {
    await recount.round();
    await compareOwn();
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
  const { planned, applied } = test.primary;
  let edition = 0;
  const late: OwnCopiesOptions["applied"] = {
    async waitFor(...asked) {
      edition += 1;
      await put("hot-1", "eu", "hot", `Udgave ${edition}.`);
      await test.client.send("/internal/documents/hot-2", { method: "DELETE" });
      return await applied.waitFor(...asked);
    },
  };
  const { own, recount, faults } = ownCopies({ applied: late });
  await own.round(0);
  while (!planned.isWhole && edition < 100) {
    await recount.round();
    await put("hot-2", "eu", "hot");
  }
  await own.round(0);
  expect(edition).toBeGreaterThan(1);
  expect(faults).toEqual([]);
});

it("tells of a copy that was lost again while its repair waits for its turn (I25)", async () => {
  await put("hot", "eu", "hot");
  const { index } = test.primary.memory();
  index.remove("hot");
  await pass();
  expect(comparison()).toMatchObject({ state: "different", found: 1, repaired: 1, unhealed: 0 });
  index.remove("hot");
  await pass();
  expect(comparison()).toMatchObject({ state: "different", found: 1, repaired: 1, unhealed: 1 });
});

/** A comparison of its own, with whatever is given instead of the primary's parts. */
function ownCopies(change: Partial<Pick<OwnCopiesOptions, "applied" | "index" | "repair">>) {
  const { database, network, site, planned, applied } = test.primary;
  const index = () => test.primary.memory().index;
  const parts = { sql: database.sql, site, network, index, planned, applied };
  const faults: Fault[] = [];
  const repair: OwnCopiesOptions["repair"] = (found) => {
    faults.push(...found);
    return Promise.resolve({ repairs: [], failed: [] });
  };
  const budget = createRepairBudget({ repairsPerMinute: 600, now: Date.now });
  const own = new OwnCopies({ ...parts, budget, repair, ...change });
  const pacer = { breathe: () => Promise.resolve() };
  const recount = new Recount({ ...parts, ...change, own, pacer });
  return { own, recount, faults };
}

/** Both sides of a pass. */
async function passOf({ own, recount }: ReturnType<typeof ownCopies>): Promise<void> {
  const { rounds } = own.comparison;
  for (let step = 0; own.comparison.rounds === rounds && step < 2_000; step += 1) {
    await recount.round().catch(() => {});
    await own.round(step).catch(() => {});
  }
}

it("ends no pass before everything was compared, whatever failed meanwhile (I25)", async () => {
  for (const id of ["hot-1", "hot-2", "hot-3"]) await put(id, "eu", "hot");
  const { applied } = test.primary;
  let failures = 40;
  const failing: OwnCopiesOptions["applied"] = {
    waitFor(...asked) {
      failures -= 1;
      if (failures > 0 && failures % 3 === 0) return Promise.reject(new Error("Postgres is away"));
      return failures > 0 ? Promise.resolve(false) : applied.waitFor(...asked);
    },
  };
  const comparing = ownCopies({ applied: failing });
  const { index } = test.primary.memory();
  index.remove("hot-2");
  // Only the index has it.
  await put("gone", "eu", "hot");
  const gone = await readDocument("gone");
  await test.client.send("/internal/documents/gone", { method: "DELETE" });
  await index.put(gone.state, gone.passages, new Pacer(test.primary));
  await passOf(comparing);
  expect(failures).toBeLessThan(0);
  const found = Object.fromEntries(comparing.faults.map(({ document_id: id, kind }) => [id, kind]));
  expect(found).toEqual({ "hot-2": "missing", gone: "extra" });
  expect(comparing.own.comparison).toMatchObject({ state: "different", found: 2, repaired: 0 });
});

it("counts a fault whose repair fails as unhealed, and finds it again (I25)", async () => {
  await put("hot", "eu", "hot");
  const comparing = ownCopies({ repair: () => Promise.reject(new Error("the writer is away")) });
  test.primary.memory().index.remove("hot");
  await passOf(comparing);
  expect(comparing.own.comparison).toMatchObject({ state: "different", found: 1, repaired: 0, unhealed: 1 });
  await passOf(comparing);
  expect(comparing.own.comparison).toMatchObject({ state: "different", repaired: 0, rounds: 2 });
});

it("forgets what it has found in an index that memory was made anew without (I25)", async () => {
  for (const id of ["hot-1", "hot-2"]) await put(id, "eu", "hot");
  const right = test.primary.memory().index;
  const empty = { copyOf: () => null, *copies() {}, holds: right.holds.bind(right) };
  let index: OwnIndex = empty;
  const comparing = ownCopies({ index: () => index });
  while (!test.primary.planned.isWhole) await comparing.recount.round();
  index = right;
  await passOf(comparing);
  expect(comparing.faults).toEqual([]);
  expect(comparing.own.comparison).toMatchObject({ state: "equal", found: 0 });
});
