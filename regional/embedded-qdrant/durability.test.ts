import { open, readFile, readdir, stat, truncate, writeFile } from "node:fs/promises";
import { QdrantClient } from "@qdrant/js-client-rest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startQdrant, temporaryFolder } from "../process.fixture.ts";
import type { Folder, Running } from "../process.fixture.ts";
import { Catalog } from "./catalog.ts";
import { loadScanner } from "./kernel.ts";
import { Store } from "./storage/store.ts";

let folder: Folder;
let running: Running | null = null;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  await running?.kill("SIGKILL");
  running = null;
  await folder.remove();
});

async function start(): Promise<QdrantClient> {
  running = await startQdrant(folder.path);
  return new QdrantClient({ url: running.url, checkCompatibility: false });
}

const VECTORS = {
  vectors: { dense: { size: 4, distance: "Cosine" as const } },
  sparse_vectors: { lexical: {} },
};
const pointOf = (id: number) => ({
  id,
  vector: { dense: [1, id, 0, 0], lexical: { indices: [id], values: [0.5] } },
  payload: { document_id: `d${id}`, ordinal: 1, text: "æøå" },
});

describe("the embedded server's log", () => {
  it("keeps everything that it acknowledged when it is killed in the middle of writes (I11)", async () => {
    const client = await start();
    await client.createCollection("c", VECTORS);
    await client.createPayloadIndex("c", { field_name: "document_id", field_schema: "keyword", wait: true });
    const acknowledged = new Set<number>();
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let id = writer; ; id += 4) {
        await client.upsert("c", { wait: true, points: [pointOf(id)] });
        acknowledged.add(id);
      }
    });
    await expect.poll(() => acknowledged.size, { interval: 10, timeout: 30_000 }).toBeGreaterThan(20);
    const died = Promise.allSettled(writers);
    await running?.kill("SIGKILL");
    await died;

    const again = await start();
    const points = await again.retrieve("c", {
      ids: [...acknowledged],
      with_payload: true,
      with_vector: true,
    });
    expect(points).toHaveLength(acknowledged.size);
    expect(points[0]?.payload).toMatchObject({ text: "æøå" });
    expect(
      (await again.count("c", { filter: { must: [{ key: "document_id", match: { value: "d1" } }] } })).count,
    ).toBe(1);
  });

  it("keeps deletions, payload edits and dropped collections (I11)", async () => {
    const client = await start();
    await client.createCollection("c", VECTORS);
    await client.createCollection("dropped", VECTORS);
    await client.upsert("c", { wait: true, points: [pointOf(1), pointOf(2), pointOf(3)] });
    await client.delete("c", { wait: true, points: [2] });
    await client.setPayload("c", { wait: true, payload: { colour: "red" }, points: [3] });
    await client.deleteCollection("dropped");
    await running?.kill("SIGKILL");
    const again = await start();
    const { points } = await again.scroll("c");
    expect(points.map(({ id, payload }) => [id, payload?.["colour"]])).toEqual([
      [1, undefined],
      [3, "red"],
    ]);
    expect(await again.collectionExists("dropped")).toEqual({ exists: false });
  });

  it("cuts off a torn end, says so, and goes on", async () => {
    const client = await start();
    await client.createCollection("c", VECTORS);
    await client.upsert("c", { wait: true, points: [pointOf(1)] });
    await client.upsert("c", { wait: true, points: [pointOf(2)] });
    await running?.kill("SIGKILL");
    const log = `${folder.path}/log-1`;
    await truncate(log, (await stat(log)).size - 5);

    const again = await start();
    expect(running?.lines.join("\n")).toContain("cut off the torn end of the log");
    expect((await again.count("c")).count).toBe(1);
    await again.upsert("c", { wait: true, points: [pointOf(3)] });
    await running?.kill("SIGKILL");
    expect((await (await start()).count("c")).count).toBe(2);
  });

  it.each([
    ["the header of a record", 2],
    ["the length of a record", 5],
    ["the body of a record", 40],
  ])("refuses to start when a byte in %s has flipped", async (_, place) => {
    const client = await start();
    await client.createCollection("c", VECTORS);
    for (const id of [1, 2, 3]) await client.upsert("c", { wait: true, points: [pointOf(id)] });
    await running?.kill("SIGKILL");
    const log = `${folder.path}/log-1`;
    const bytes = await readFile(log);
    const second = bytes.indexOf("KQF1", 4);
    bytes[second + place] = (bytes[second + place] ?? 0) ^ 0x10;
    await writeFile(log, bytes);
    await expect(startQdrant(folder.path)).rejects.toThrow(/damaged at byte \d+.*Restore the file/);
    expect((await readFile(log)).equals(bytes)).toBe(true);
  });

  it("refuses to start on a snapshot that is cut short", async () => {
    const { store } = await openStore(1);
    await store.close();
    const handle = await open(`${folder.path}/snapshot-9`, "w");
    await handle.write("KQF1");
    await handle.close();
    await expect(startQdrant(folder.path)).rejects.toThrow(/snapshot-9 is damaged/);
  });
});

async function openStore(logBytesMax: number): Promise<{ store: Store; catalog: Catalog }> {
  const catalog = new Catalog(loadScanner());
  const store = await Store.open({
    folder: folder.path,
    catalog,
    logBytesMax,
    log: () => {},
    fail: (error) => {
      throw error;
    },
  });
  return { store, catalog };
}

describe("snapshots", () => {
  it("replace the log while writes go on, and give the same state", async () => {
    const { store, catalog } = await openStore(20_000);
    const dense = { name: "dense", size: 4, distance: "Dot" as const };
    const config = {
      dense,
      sparse: null,
      replicationFactor: 1,
      writeConsistencyFactor: 1,
      strict: { retrieve: false, update: false },
    };
    await store.commit({ kind: "create", collection: "c", config });
    await store.commit({ kind: "index", collection: "c", key: "document_id", type: "keyword" });
    const writes: Promise<number>[] = [];
    for (let round = 0; round < 30; round += 1) {
      for (let id = 0; id < 40; id += 1) {
        const point = {
          id: String(id),
          dense: Float32Array.of(round, id, 0, 1),
          sparse: null,
          payload: { document_id: `d${id}`, round },
        };
        writes.push(store.commit({ kind: "upsert", collection: "c", points: [point] }));
      }
      writes.push(store.commit({ kind: "remove", collection: "c", ids: [String(round)] }));
      if (round % 5 === 0) await Promise.all(writes);
    }
    await Promise.all(writes);
    await store.close();
    const names = await readdir(folder.path);
    expect(names.some((name) => name.startsWith("snapshot-"))).toBe(true);
    expect(names).toHaveLength(2);

    const again = await openStore(1_000_000);
    const stateOf = (from: Catalog) =>
      from
        .get("c")
        .ids()
        .map((id) => ({ id, ...from.get("c").get(id) }));
    expect(stateOf(again.catalog)).toEqual(stateOf(catalog));
    expect(again.catalog.get("c").indexes).toEqual(catalog.get("c").indexes);
    await again.store.close();
  });
});
