import { holdingLineSchema, type HoldingLine } from "@kattegat/protocol/holdings.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ledgerEntrySchema } from "../ledger/entry.ts";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";

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

async function put(id: string, residency: string, tier: string): Promise<void> {
  const answer = await test.client.put(id, { title: id, text: `Tekst ${id}.`, residency, tier });
  expect(answer.status).toBe(201);
}

async function holdings(): Promise<readonly HoldingLine[]> {
  const text = await (await test.client.operate("/internal/holdings")).text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => holdingLineSchema.parse(JSON.parse(line)));
}

async function repair(documents: readonly object[]): Promise<Response> {
  const body = JSON.stringify({ documents });
  return await test.client.operate("/internal/holdings:repair", { method: "POST", body });
}

async function told(site: string, after: string): Promise<readonly string[]> {
  const { changes } = await test.client.feed(site, after);
  return changes.flatMap((change) =>
    change.kind === "skip" ? [] : [`${change.kind} ${change.document_id}`],
  );
}

const lastEntry = async (document: string): Promise<unknown> => {
  const entries = await test.primary.ledger.entries({ from: 0, limit: 100, document });
  return ledgerEntrySchema.parse(JSON.parse(entries.at(-1) ?? ""));
};

describe("what the primary holds", () => {
  it("is told by Postgres, the index and the ledger themselves, with what was deleted (I23)", async () => {
    await put("hot", "dk-only", "hot");
    await put("warm", "eu", "warm");
    await put("gone", "eu", "hot");
    await test.client.send("/internal/documents/gone", { method: "DELETE" });
    // Memory is not believed for what Postgres has, nor Postgres for what memory has.
    await test.primary.database.sql`update documents set version = 77 where id = 'hot'`;
    const lines = await holdings();
    expect(lines.at(-1)).toEqual({ kind: "end" });
    const shown = lines.flatMap((line) => {
      if (line.kind === "record") return [`record ${line.document_id} ${line.version}`];
      if (line.kind === "copy") return [`${line.store} ${line.document_id} ${line.version} ${line.class}`];
      return line.kind === "gone" ? [`gone ${line.document_id} ${line.sequence}`] : [];
    });
    expect(shown).toEqual(["record hot 77", "record warm 2", "memory hot 1 dk-only", "gone gone 4"]);
    const recorded = lines.flatMap((line) =>
      line.kind === "recorded" ? [line.copies.map(({ site }) => site)] : [],
    );
    expect(recorded).toContainEqual(["archive-dk", "dk-cph", "eu-arn", "eu-fra"]);
  });

  it("is told to the operator alone", async () => {
    for (const path of ["/internal/holdings", "/internal/holdings:repair", "/internal/holdings:changed"]) {
      const method = path.includes(":") ? "POST" : "GET";
      expect((await test.client.send(path, { method })).status).toBe(403);
    }
  });
});

describe("a repair", () => {
  it("brings a document anew to its sites and withdraws it from the others, by one change (I9, I23)", async () => {
    await put("warm", "eu", "warm");
    await put("hot", "dk-only", "hot");
    const { sequence } = test.primary.applied.head.fence;
    const answer = await repair([
      { document_id: "warm", class: "eu", from: ["edge-eu"] },
      { document_id: "hot", class: "dk-only", from: ["eu-fra"] },
    ]);
    expect(await answer.json()).toMatchObject({ written: 2 });
    expect(await told("eu-fra", sequence)).toEqual(["put warm", "withdraw hot"]);
    expect(await told("eu-arn", sequence)).toEqual(["put warm"]);
    expect(await told("edge-eu", sequence)).toEqual(["withdraw warm"]);
    expect(await lastEntry("hot")).toMatchObject({ kind: "planned", reason: "repaired" });
    expect(test.primary.memory().counts.documents("hot")).toBe(1);
  });

  it("withdraws copies of a document that is gone, or never was (I9, I23)", async () => {
    await put("warm", "eu", "warm");
    const { sequence } = test.primary.applied.head.fence;
    await repair([{ document_id: "never-was", class: "eu", from: ["eu-arn"] }]);
    expect(await told("eu-arn", sequence)).toEqual(["withdraw never-was"]);
    expect(await told("eu-fra", sequence)).toEqual([]);
    expect(await lastEntry("never-was")).toMatchObject({ kind: "planned", reason: "repaired", copies: [] });
    expect(test.primary.memory().counts.documents("cold")).toBe(0);
  });

  it("reads the primary's own copy from Postgres again (I23)", async () => {
    await put("hot", "eu", "hot");
    const { index } = test.primary.memory().index;
    const point = index.get("hot#1");
    if (point === undefined) throw new Error("expected the passage in memory");
    index.upsert([{ ...point, sparse: { indices: new Uint32Array(), values: new Float32Array() } }]);
    expect((await test.client.search("tekst")).lexical).toEqual([]);
    await repair([{ document_id: "hot", class: "eu", from: [] }]);
    expect((await test.client.search("tekst")).lexical).toHaveLength(1);
  });

  it("refuses a site that the network file does not list", async () => {
    expect((await repair([{ document_id: "a", class: "eu", from: ["moon"] }])).status).toBe(400);
  });
});
