import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { queryVector } from "@kattegat/engine/lexical/bm25.ts";
import { emptyStatistics } from "@kattegat/engine/lexical/statistics.ts";
import { queryTerms } from "@kattegat/engine/text/analyzer.ts";
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";
import { receiptSchema } from "@kattegat/protocol/documents.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { passagesOf } from "../documents/passage-rows.ts";
import { SEALED_STATE, sealedDocuments, stateOfRow } from "../documents/state.ts";
import { sealHead } from "../sealing/document-seals.ts";
import { searchSite } from "../search/search.ts";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, type TestPrimary } from "../primary.fixture.ts";
import { coldDocument, dataFolder, expectAllInMemory, putCold, textOf } from "./partition.fixture.ts";

const COUNT = 300;
let postgres: PostgresFixture;
let url: string;
let folder: Awaited<ReturnType<typeof dataFolder>>;
let nowMs = Date.now();

beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.database();
  folder = await dataFolder();
  nowMs = Date.now();
  return () => folder.remove();
});

const start = (basePassagesMin = 100): Promise<TestPrimary> =>
  startPrimary(url, { now: () => nowMs, cold: { folder: folder.path, basePassagesMin } });
const corpus = (from = 0, to = COUNT, edition = 0) =>
  Array.from({ length: to - from }, (_, at) => coldDocument(from + at, edition));
const round = async ({ primary }: TestPrimary): Promise<void> => primary.baseUpkeep?.round();
const indexOf = ({ primary }: TestPrimary) => primary.memory().index;
const files = async (): Promise<string[]> => (await readdir(join(folder.path, "cold"))).toSorted();

async function started(): Promise<TestPrimary> {
  const test = await start();
  await putCold(test.client, corpus());
  await round(test);
  return test;
}

describe("cold passages that no edge may hold", () => {
  it("rest in a base on the disk, and are found as if they were in memory (I6)", async () => {
    const test = await start();
    await putCold(test.client, corpus());
    await test.client.put("hot-1", { ...coldDocument(7), id: undefined, tier: "hot" });
    expect(indexOf(test)).toMatchObject({ base: null, tailPassages: COUNT * 2 });
    await round(test);
    expect(indexOf(test).base?.documents).toBe(COUNT);
    expect(indexOf(test).tailPassages).toBe(0);
    expect(indexOf(test).index.size).toBe(2);
    await expectAllInMemory(test.client, url);
    expect(await test.client.send("/metrics").then((response) => response.text())).toContain(
      `kattegat_primary_cold_passages{part="base"} ${COUNT * 2}`,
    );
    expect(test.errors).toEqual([]);
    await test.close();
  });

  it("keep no title or text in the base", async () => {
    const test = await started();
    for (const name of await files()) {
      const bytes = await readFile(join(folder.path, "cold", name), "latin1");
      expect(bytes.includes("Sag 17")).toBe(false);
      expect(bytes.includes("sag17")).toBe(false);
    }
    await test.close();
  });

  it("are found after changes, deletions and moves, then after the next base, then after a restart", async () => {
    let test = await started();
    await putCold(test.client, corpus(10, 30, 1));
    await putCold(test.client, corpus(COUNT, COUNT + 20));
    for (const number of [40, 41, 42])
      await test.client.send(`/internal/documents/dk-${number}`, { method: "DELETE" });
    for (const number of [50, 51])
      await test.client.put(`dk-${number}`, { ...coldDocument(number), id: undefined, tier: "hot" });
    for (const number of [60, 61])
      await test.client.put(`dk-${number}`, {
        ...coldDocument(number),
        id: undefined,
        residency: "global",
        tier: "hot",
      });
    expect(indexOf(test).base?.dead).toBe(27);
    await expectAllInMemory(test.client, url);
    await test.close();
    test = await start(10_000);
    expect(indexOf(test).base?.dead).toBe(27);
    expect(indexOf(test).tailPassages).toBe(80);
    await expectAllInMemory(test.client, url);
    await test.close();
    test = await start(80);
    await round(test);
    expect(indexOf(test).base?.dead).toBe(0);
    expect(indexOf(test).tailPassages).toBe(0);
    await expectAllInMemory(test.client, url);
    await test.close();
    expect(test.errors).toEqual([]);
  });

  it("that are moved by their use leave the base for memory with their passages", async () => {
    const test = await started();
    const { writer, database } = test.primary;
    const [row] =
      await database.sql`update documents set pinned_tier = null where id = 'dk-5' returning carried`;
    await writer.submit({
      kind: "move",
      id: "dk-5",
      carried: row?.["carried"],
      tier: "hot",
      use: 1,
      score: 1,
    });
    expect(indexOf(test).base?.has("dk-5")).toBe(false);
    expect(indexOf(test).index.size).toBe(2);
    await expectAllInMemory(test.client, url);
    await test.close();
  });

  it("that change their place while a search reads are found once", async () => {
    const test = await started();
    const { network, site, applied, contents, memory, database, seals } = test.primary;
    const { sql } = database;
    const [row] = await sql`select ${sql(SEALED_STATE)} from ${sealedDocuments(sql)} where d.id = 'dk-5'`;
    const passages = (await passagesOf(sql, ["dk-5"], { seals })).get("dk-5") ?? [];
    if (row === undefined) throw new Error("expected dk-5");
    const { indices, values } = queryVector(queryTerms("efter"), emptyStatistics());
    const asked = searchSite(
      {
        dense: null,
        lexical: { indices: encodeIntegers(indices), values: encodeFloats(values) },
        model: network.embedding.model,
        filter: null,
        collection: "default",
        classes: ["dk-only"],
        zone: "eu",
        tiers: ["cold"],
        group_by: "document",
        candidates: 1_000,
        hydrated: 0,
        min_sequence: null,
        deadline_ms: 1_000,
      },
      {
        network,
        site,
        log: applied,
        contents,
        searchable: () => [{ ...network.embedding, index: memory().index }],
      },
    );
    memory().index.takeOver(stateOfRow(row, seals), passages);
    const { lexical } = await asked;
    expect(lexical.filter(({ document_id }) => document_id === "dk-5")).toHaveLength(1);
    await expectAllInMemory(test.client, url);
    await test.close();
  });
});

describe("a base in the making", () => {
  it("loses no change that comes meanwhile, and every write is found when it is acknowledged", async () => {
    const test = await started();
    await putCold(test.client, corpus(COUNT, COUNT + 60));
    const made = round(test);
    let isMade = false;
    void made.then(() => {
      isMade = true;
    });
    let number = 0;
    for (; !isMade; number += 1) {
      const id = `dk-${number}`;
      if (number % 3 === 0) await test.client.send(`/internal/documents/${id}`, { method: "DELETE" });
      else
        await test.client.put(id, {
          ...coldDocument(number, 2),
          id: undefined,
          tier: number % 3 === 1 ? "cold" : "hot",
        });
      const { lexical } = await test.client.search(textOf(number, 2), {
        candidates: 1_000,
        collection: number % 9 === 0 ? "other" : "default",
      });
      const versions = lexical
        .filter((candidate) => candidate.document_id === id)
        .map(({ version }) => version);
      const [row] = await test.primary.database.sql`select version from documents where id = ${id}`;
      expect([id, versions]).toEqual([id, row === undefined ? [] : [row["version"]]]);
    }
    await made;
    expect(number).toBeGreaterThan(5);
    expect(indexOf(test).base?.dead).toBeGreaterThan(0);
    await expectAllInMemory(test.client, url);
    expect(test.errors).toEqual([]);
    await test.close();
  });

  it("shows every document once at every moment", async () => {
    const test = await start();
    await putCold(test.client, corpus());
    const made = round(test);
    let isMade = false;
    void made.then(() => {
      isMade = true;
    });
    let searches = 0;
    for (; !isMade; searches += 1) {
      // Nothing of a search in one process waits for anything: without a turn of the loop no thread would be heard.
      await sleep(0);
      const { lexical } = await test.client.search("efter", { candidates: 1_000, hydrated: 0 });
      const ids = lexical.map(({ document_id }) => document_id);
      expect(ids.length).toBe(new Set(ids).size);
      expect(ids.length).toBe(corpus().filter(({ collection }) => collection === "default").length);
    }
    await made;
    expect(searches).toBeGreaterThan(10);
    await test.close();
  });

  it("is given up at a stop, and what it wrote is deleted at the next start", async () => {
    const test = await start();
    await putCold(test.client, corpus());
    const made = round(test);
    await sleep(300);
    test.primary.baseUpkeep?.stop();
    await made;
    await test.close();
    await writeFile(join(folder.path, "cold", "half.codes.0"), "half");
    const again = await start();
    expect(await files()).toEqual([]);
    expect(indexOf(again).tailPassages).toBe(COUNT * 2);
    await again.close();
  });
});

describe("a base on the disk", () => {
  it("is made anew in its time when it has dead documents, and until then no receipt says that they are removed (I19, I24)", async () => {
    const test = await started();
    const { keyRotation, ownRemoval, ledger } = test.primary;
    const before = await files();
    const { receipt, sequence } = z
      .object({ receipt: z.string(), sequence: z.string() })
      .parse(await (await test.client.send("/internal/documents/dk-9", { method: "DELETE" })).json());
    const gone = { epoch: 1, sequence };
    const archive = { site: "archive-dk", lag_ms: 0, lag_changes: 0, parked: 0, healthy: true };
    await test.primary.confirmations.confirm({ ...archive, watermark: gone, removed: gone });
    const completedAt = async (): Promise<unknown> =>
      receiptSchema.parse(await (await test.client.send(receipt.replace("/v1/", "/internal/"))).json())
        .completed_at;
    const erased = async (): Promise<number> =>
      (await ledger.entries({ from: 0, limit: 1_000, document: "dk-9" })).filter(
        (entry) => JSON.parse(entry).kind === "erased" && JSON.parse(entry).site === "dk-cph",
      ).length;
    await keyRotation.round();
    nowMs += 299_000;
    await round(test);
    expect(await files()).toEqual(before);
    expect(await ownRemoval.round()).toBe(0);
    expect([await completedAt(), await erased()]).toEqual([null, 0]);
    nowMs += 1_000;
    await round(test);
    const after = await files();
    expect(after).toHaveLength(before.length);
    expect(after.filter((name) => before.includes(name))).toEqual(["base.json"]);
    expect(indexOf(test).base?.open.table.numberOf("dk-9")).toBe(undefined);
    expect(await ownRemoval.round()).toBe(1);
    expect(await completedAt()).not.toBeNull();
    expect(await erased()).toBe(1);
    await expectAllInMemory(test.client, url);
    await test.close();
  });

  it("is not what holds up the receipt of a document that was stored anew since (I24)", async () => {
    const test = await started();
    const { keyRotation, ownRemoval } = test.primary;
    await test.client.send("/internal/documents/dk-9", { method: "DELETE" });
    await putCold(test.client, [coldDocument(9, 1)]);
    await keyRotation.round();
    expect(await ownRemoval.round()).toBe(0);
    nowMs += 300_000;
    await round(test);
    expect(indexOf(test).base?.open.table.numberOf("dk-9")).not.toBe(undefined);
    expect(await ownRemoval.round()).toBe(1);
    await test.close();
  });

  it("counts files that are being made as files that may hold anything (I24)", async () => {
    const test = await started();
    const { keyRotation, ownRemoval } = test.primary;
    // In memory alone; the base in the making may have read it.
    await test.client.put("new-1", { ...coldDocument(7), id: undefined });
    await putCold(test.client, corpus(COUNT, COUNT * 2));
    const making = round(test);
    await test.client.send("/internal/documents/new-1", { method: "DELETE" });
    await keyRotation.round();
    expect(await ownRemoval.round()).toBe(0);
    await making;
    nowMs += 300_000;
    await round(test);
    expect(await ownRemoval.round()).toBe(1);
    await test.close();
  });

  it("shows no document that a failover gave the same version with other content (I2)", async () => {
    const first = await started();
    const { database, seals } = first.primary;
    const { sql } = database;
    for (const row of await sql`select ${sql(SEALED_STATE)} from ${sealedDocuments(sql)} where d.id in ('dk-5', 'dk-6')`) {
      const { title } = stateOfRow(row, seals);
      const head = sealHead(seals.keyOf(row), { title, metadata: { year: 1999 } });
      await sql`update documents set epoch = 2, head = ${head} where id = ${row["id"]}`;
    }
    await first.close();
    const test = await start(10_000);
    expect(indexOf(test).base?.dead).toBe(2);
    await expectAllInMemory(test.client, url);
    await test.close();
  });

  it("of another database is not used, nor one from after the state that this one was restored to", async () => {
    const first = await started();
    await first.primary.database.sql`update log_head set sequence = 100`;
    await first.close();
    for (const other of [url, await postgres.database()]) {
      const isEmpty = other !== url;
      url = other;
      const test = await start();
      expect(indexOf(test).base).toBe(null);
      expect(test.errors).toHaveLength(1);
      if (isEmpty) await putCold(test.client, corpus(0, COUNT, 1));
      await round(test);
      expect(indexOf(test).base?.documents).toBe(COUNT);
      await test.close();
    }
  });

  it("goes with its last document", async () => {
    const test = await started();
    for (let number = 0; number < COUNT; number += 1)
      await test.client.send(`/internal/documents/dk-${number}`, { method: "DELETE" });
    await round(test);
    expect(indexOf(test).base).toBe(null);
    expect(await files()).toEqual([]);
    await test.close();
  });

  it("that is damaged is left out at a start, then made anew (I13)", async () => {
    for (const damage of ["flip", "cut", "gone", "record"] as const) {
      const first = await start();
      await putCold(first.client, corpus());
      await round(first);
      await first.close();
      const name = (await files()).find((file) => file.includes(".rows.")) ?? "";
      const path = join(folder.path, "cold", damage === "record" ? "base.json" : name);
      const bytes = await readFile(path);
      if (damage === "flip") await writeFile(path, bytes.with(100, (bytes[100] ?? 0) ^ 1));
      else if (damage === "gone") await truncate(path, 0);
      else await truncate(path, bytes.length - 10);
      const test = await start();
      expect(test.errors).toHaveLength(1);
      expect(indexOf(test)).toMatchObject({ base: null, tailPassages: COUNT * 2 });
      await expectAllInMemory(test.client, url);
      await round(test);
      expect(indexOf(test).base?.documents).toBe(COUNT);
      await test.close();
    }
  });

  it("that is damaged while it serves answers partial, then gives way to memory and a new base (I13)", async () => {
    const test = await started();
    for (const name of await files())
      if (name.includes(".rows.") || name.includes(".postings."))
        await truncate(join(folder.path, "cold", name), 8);
    const { tiers } = await test.client.search("klage over havn");
    expect(tiers.find(({ tier }) => tier === "cold")?.status).toBe("unavailable");
    await round(test);
    expect(indexOf(test).base?.open.isDamaged).toBe(false);
    expect(indexOf(test).base?.documents).toBe(COUNT);
    await expectAllInMemory(test.client, url);
    await test.close();
  });
});
