import type { Network } from "@kattegat/config/network.ts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { network, startPrimary } from "../primary.fixture.ts";
import { retentionRound } from "./retention.ts";

const because = { reason: "x", reference: "y" };
const { eu, "dk-only": dk } = network.classes;
if (eu === undefined || dk === undefined) throw new Error("the shipped file has other classes");
const kept: Network = {
  ...network,
  classes: {
    ...network.classes,
    created: { ...eu, retention: { keep_days: 30, from: "created_at", ...because } },
    // No zone may carry it: the primary's own deletion asks none.
    published: {
      ...dk,
      transit: { countries: ["DK"], zones: [] },
      retention: { keep_days: 10, from: "published_at", ...because },
    },
    project: { ...eu, retention: { until: "2026-12-24", ...because } },
  },
};
const DAY_MS = 86_400_000;
const BEGIN = Date.parse("2026-11-26T12:00:00Z");

let postgres: PostgresFixture;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

it("deletes each document on the day after its last, with a receipt, and withdraws copies that policy names no more (I9)", async () => {
  let now = BEGIN;
  const test = await startPrimary(await postgres.database(), { network: kept, now: () => now });
  const { sql } = test.primary.database;
  const left = async (): Promise<readonly string[]> =>
    (await sql<{ id: string }[]>`select id from documents order by id`).map(({ id }) => id);
  const roundOn = async (day: number): Promise<readonly string[]> => {
    now = BEGIN + day * DAY_MS;
    await retentionRound({ sql, network: kept, writer: test.primary.writer, now: () => now });
    return await left();
  };
  try {
    const text = "§ 1.";
    await test.client.batch([
      { id: "a-created", title: "A", text, residency: "created" },
      { id: "b-project", title: "B", text, residency: "project", tier: "warm" },
      { id: "c-eu", title: "C", text, residency: "eu" },
      { id: "d-published", title: "D", text, residency: "eu", published_at: "2026-11-20" },
      { id: "e-undated", title: "E", text, residency: "eu" },
    ]);
    await sql`update documents set residency = 'published' where id in ('d-published', 'e-undated')`;
    expect(await roundOn(4)).toHaveLength(5);
    expect(await roundOn(5)).toEqual(["a-created", "b-project", "c-eu", "e-undated"]);
    expect(await roundOn(28)).toHaveLength(4);
    expect(await roundOn(29)).toEqual(["a-created", "c-eu", "e-undated"]);
    // Policy names eu-fra no more on that day; its copy is withdrawn all the same.
    const { changes } = await test.client.feed("eu-fra", "0");
    const withdrawn = changes.flatMap((change) => (change.kind === "withdraw" ? [change.document_id] : []));
    expect(withdrawn).toContain("b-project");
    expect(await roundOn(30)).toHaveLength(3);
    expect(await roundOn(31)).toEqual(["c-eu", "e-undated"]);
    const receipts = await sql<
      { document_id: string }[]
    >`select document_id from receipts order by document_id`;
    expect(receipts.map(({ document_id }) => document_id)).toEqual(["a-created", "b-project", "d-published"]);
    expect(test.errors).toEqual([]);
  } finally {
    await test.close();
  }
});
