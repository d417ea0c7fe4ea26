import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, withCapacities, type TestPrimary } from "../primary.fixture.ts";
import { retierRound } from "./usage.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
let nowMs = Date.parse("2026-11-23T00:00:00Z");
beforeAll(async () => {
  postgres = await startPostgres();
});
beforeEach(async () => {
  nowMs = Date.now();
  test = await startPrimary(await postgres.database(), {
    network: withCapacities({ "ultra-hot": 2, hot: 3, warm: 4 }),
    now: () => nowMs,
  });
});
afterEach(async () => {
  expect(test.errors).toEqual([]);
  await test.close();
});
afterAll(() => postgres.stop());

const base = { title: "Lov", text: "§ 1. Loven gælder.", residency: "global" };
async function tiers(): Promise<Record<string, string>> {
  const rows = await test.primary.database.sql`select id, tier from documents`;
  return Object.fromEntries(rows.map((row) => [row["id"], row["tier"]]));
}
/** The counts in memory must be those of Postgres after whatever happened. */
async function expectCounts(): Promise<void> {
  const rows = await test.primary.database
    .sql`select tier, count(*)::int as documents, sum(passage_count)::int as passages from documents group by 1`;
  const counts = test.primary.memory().counts;
  for (const tier of ["ultra-hot", "hot", "warm", "cold"] as const) {
    const row = rows.find((candidate) => candidate["tier"] === tier);
    expect([tier, counts.documents(tier), counts.passages(tier)]).toEqual([
      tier,
      row?.["documents"] ?? 0,
      row?.["passages"] ?? 0,
    ]);
  }
}
const retier = () =>
  retierRound({
    sql: test.primary.database.sql,
    network: test.primary.network,
    seals: test.primary.seals,
    writer: test.primary.writer,
    counts: () => test.primary.memory().counts,
    now: () => nowMs,
  });
const report = (id: string, hits: number) =>
  test.client.send("/internal/usage", {
    method: "POST",
    body: JSON.stringify({
      site: "edge-eu",
      documents: [
        { id, hits },
        { id: "absent", hits: 1 },
      ],
    }),
  });

describe("a full tier", () => {
  it("keeps its highest scores: the lowest move down, tier after tier", async () => {
    const importances = [0.91, 0.99, 0.95, 0.97, 0.93, 0.92, 0.96];
    for (const importance of importances) await test.client.put(`d${importance}`, { ...base, importance });
    expect(await tiers()).toEqual({
      "d0.99": "ultra-hot",
      "d0.97": "ultra-hot",
      "d0.96": "hot",
      "d0.95": "hot",
      "d0.93": "hot",
      "d0.92": "warm",
      "d0.91": "warm",
    });
    await expectCounts();
  });

  it("takes the same documents whether they come one by one or in one batch", async () => {
    const importances = [0.91, 0.99, 0.95, 0.97, 0.93, 0.92, 0.96, 0.75, 0.72, 0.98, 0.9];
    await test.client.batch(importances.map((importance) => ({ id: `d${importance}`, ...base, importance })));
    const placed = await tiers();
    const count = (tier: string) => Object.values(placed).filter((name) => name === tier).length;
    expect([count("ultra-hot"), count("hot"), count("warm"), count("cold")]).toEqual([2, 3, 4, 2]);
    expect([
      placed["d0.99"],
      placed["d0.98"],
      placed["d0.97"],
      placed["d0.93"],
      placed["d0.75"],
      placed["d0.72"],
    ]).toEqual(["ultra-hot", "ultra-hot", "hot", "warm", "cold", "cold"]);
    await expectCounts();
  });

  it("never moves a pinned document, even when it overflows", async () => {
    for (let index = 0; index < 4; index += 1)
      await test.client.put(`pin${index}`, { ...base, importance: 0.01, tier: "ultra-hot" });
    await test.client.put("better", { ...base, importance: 0.99 });
    const placed = await tiers();
    expect(Object.values(placed).filter((tier) => tier === "ultra-hot")).toHaveLength(4);
    expect(placed["better"]).toBe("hot");
    await expectCounts();
  });

  it("tells the feed of each document that had to make room, and keeps its old copy meanwhile (I10)", async () => {
    for (const importance of [0.75, 0.76, 0.77])
      await test.client.put(`d${importance}`, { ...base, importance });
    const { head } = await test.client.feed("eu-fra", "0");
    await test.client.put("d0.8", { ...base, importance: 0.8 });
    const { changes } = await test.client.feed("eu-fra", head.sequence);
    expect(changes.map((change) => [change.kind, change.kind === "put" && change.document_id])).toEqual([
      ["put", "d0.75"],
    ]);
    expect(
      (await test.client.search("loven gælder")).dense.map((candidate) => candidate.document_id),
    ).toContain("d0.75");
  });
});

describe("use", () => {
  it("moves a document up when it is reported and down again when it is forgotten", async () => {
    await test.client.put("seldom", { ...base, importance: 0.1, published_at: "1950-01-01" });
    expect((await tiers())["seldom"]).toBe("cold");
    expect((await report("seldom", 100)).status).toBe(204);
    expect(await retier()).toBe(1);
    expect((await tiers())["seldom"]).toBe("warm");
    await expectCounts();
    const { fence: watermark } = test.primary.applied.head;
    for (const site of ["eu-fra", "eu-arn"])
      await test.client.send("/internal/confirm", {
        method: "POST",
        body: JSON.stringify({ site, watermark, lag_ms: 0, lag_changes: 0, parked: 0, healthy: true }),
      });
    await test.primary.confirmations.settle(test.primary.writer);
    expect(await retier()).toBe(0);
    nowMs += 400 * 86_400_000;
    expect(await retier()).toBe(1);
    expect((await tiers())["seldom"]).toBe("cold");
  });

  it("is kept when the document's content is replaced", async () => {
    await test.client.put("kept", { ...base, importance: 0.1, published_at: "1950-01-01" });
    await report("kept", 100);
    await test.client.put("kept", { ...base, importance: 0.1, published_at: "1950-01-01", title: "Ny" });
    expect((await tiers())["kept"]).toBe("warm");
  });

  it("does not let a document into a full tier without a margin over its lowest", async () => {
    for (let index = 0; index < 4; index += 1)
      await test.client.put(`w${index}`, { ...base, importance: 0.6 });
    await test.client.put("outside", { ...base, importance: 0.6, published_at: "2010-01-01" });
    await test.primary.database
      .sql`update documents set tier = 'cold', moving_from = null where id = 'outside'`;
    await report("outside", 3);
    expect(await retier()).toBe(0);
    await report("outside", 5_000);
    expect(await retier()).toBe(1);
  });
});
