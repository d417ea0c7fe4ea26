import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, renameSync, statSync } from "node:fs";
import { join } from "node:path";
import postgresJs from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { startPrimary, testKeyring, type TestPrimary } from "../primary.fixture.ts";
import { DocumentSeals, partitionOf } from "./document-seals.ts";
import { ErasureList } from "./erasure-list.ts";
import { KeyRotation } from "./key-rotation.ts";
import { Keyring, KeyringError } from "./keyring.ts";
import { unseal } from "./seal.ts";

let postgres: PostgresFixture;
let url: string;
let test: TestPrimary;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());
beforeEach(async () => {
  url = await postgres.database();
  test = await startPrimary(url);
});
afterEach(() => test.close());

const DAY_MS = 86_400_000;
/** A rotation by another keyring object, as another process has it. */
function rotationOf(ring: Keyring, now: () => number = Date.now): KeyRotation {
  return new KeyRotation({
    sql: test.primary.database.sql,
    ring,
    seals: new DocumentSeals(ring),
    erasures: new ErasureList(testKeyring(url).folder),
    now,
    replacedMs: 7 * DAY_MS,
    destroying: () => Promise.resolve([]),
    destroyed: () => Promise.resolve(),
  });
}

const canary = (): string => `kanarie${randomBytes(12).toString("hex")}`;

async function put(id: string, body: object): Promise<void> {
  const answer = await test.client.put(id, { title: "Afgørelse", residency: "dk-only", ...body });
  expect(answer.status).toBeLessThan(300);
}

async function erase(id: string): Promise<void> {
  const answer = await test.client.send(`/internal/documents/${id}`, { method: "DELETE" });
  expect(answer.status).toBe(202);
}

/** Files under a folder that have the bytes. */
function filesWith(folder: string, bytes: Uint8Array): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile() && readFileSync(path).includes(Buffer.from(bytes)));
}

async function wrappedKey(id: string) {
  const { sql } = test.primary.database;
  const [row] =
    await sql`select document_id, partition, key_version, wrapped from document_keys where document_id = ${id}`;
  if (row === undefined) throw new Error(`expected a key of ${id}`);
  return { row, key: Buffer.from(test.primary.seals.keyOf(row).key) };
}

/** Two documents whose keys are wrapped by one key. */
function neighbours(): readonly [string, string] {
  const known = new Map<number, string>();
  for (let number = 0; ; number += 1) {
    const id = `d${number}`;
    const other = known.get(partitionOf(id));
    if (other !== undefined) return [other, id];
    known.set(partitionOf(id), id);
  }
}

function lateNeighbour(partition: number, others: readonly string[]): string {
  for (let number = 0; ; number += 1) {
    const id = `late${number}`;
    if (partitionOf(id) === partition && !others.includes(id)) return id;
  }
}

describe("a document at rest in Postgres", () => {
  it("shows nothing of its title, text, metadata and passages in any page or in the WAL (I20)", async () => {
    const [title, text, key, value, own, id] = Array.from({ length: 6 }, canary);
    const passages = [{ text: `Et stykke: ${own}` }];
    await put(id ?? "", { title, text: `Ord ${text} ord.`, metadata: { [key ?? ""]: value }, passages });
    await test.primary.database.sql`checkpoint`;
    for (const secret of [title, text, key, value, own])
      expect(filesWith(postgres.folder, Buffer.from(secret ?? "expected"))).toEqual([]);
    // The search itself sees bytes: the id rests in clear.
    expect(filesWith(postgres.folder, Buffer.from(id ?? "expected")).length).toBeGreaterThan(0);
    const found = await test.client.search(own ?? "");
    expect(found.lexical[0]).toMatchObject({ document_id: id });
  });

  it("cannot be opened once it is deleted: the key that wrapped its own is destroyed, its neighbours' keys are not (I20)", async () => {
    const [gone, kept] = neighbours();
    await put(gone, { text: "Den slettede." });
    await put(kept, { text: "Den bevarede." });
    const { row, key } = await wrappedKey(gone);
    const partition = partitionOf(gone);
    const before = Keyring.open(testKeyring(url)).find(partition, row["key_version"]);
    if (before === null) throw new Error("expected the key that wraps");
    expect(unseal(before, row["wrapped"], `key\n${gone}`)).toEqual(key);
    await erase(gone);
    expect(await test.primary.keyRotation.round()).toBe(1);
    // The wrapped key is still in the WAL; what opened it is nowhere.
    expect(filesWith(postgres.folder, row["wrapped"]).length).toBeGreaterThan(0);
    const ring = Keyring.open(testKeyring(url));
    expect(ring.find(partition, row["key_version"])).toBe(null);
    for (const secret of [key, before.export()]) {
      expect(filesWith(postgres.folder, secret)).toEqual([]);
      expect(filesWith(testKeyring(url).folder, secret)).toEqual([]);
    }
    expect(await (await test.client.send(`/internal/documents/${kept}`)).json()).toMatchObject({
      text: "Den bevarede.",
    });
    expect(await test.primary.keyRotation.round()).toBe(0);
  });

  it("cannot be opened in the content that it had before it was replaced, once backups are old enough (I20)", async () => {
    await put("d1", { text: "Navnet er Jensen." });
    const { row } = await wrappedKey("d1");
    await put("d1", { text: "Navnet er fjernet." });
    expect((await wrappedKey("d1")).key).not.toEqual(test.primary.seals.keyOf(row).key);
    const ring = Keyring.open(testKeyring(url));
    let laterMs = 8 * DAY_MS;
    const later = rotationOf(ring, () => Date.now() + laterMs);
    expect(await test.primary.keyRotation.round()).toBe(0);
    // What is over waits for others of its partition.
    expect(await later.round()).toBe(0);
    laterMs += 61_000;
    expect(await later.round()).toBe(1);
    expect(Keyring.open(testKeyring(url)).find(partitionOf("d1"), row["key_version"])).toBe(null);
  });
});

describe("the replacing of keys", () => {
  it.each(["before any key is wrapped anew", "when all are, and the old one is still there"])(
    "goes on after a crash %s (I20)",
    async (when) => {
      const [gone, kept] = neighbours();
      await put(gone, { text: "Den slettede." });
      await put(kept, { text: "Den bevarede." });
      const { row } = await wrappedKey(gone);
      const partition = partitionOf(gone);
      await erase(gone);
      const crashing = Keyring.open(testKeyring(url));
      crashing.begin([partition]);
      if (when.startsWith("when")) {
        crashing.end = () => {
          throw new Error("the crash");
        };
        await expect(rotationOf(crashing).round()).rejects.toThrow("the crash");
      }
      // Wrapped by the new key already, and gone before the round that was begun is ended.
      const late = lateNeighbour(partition, [gone, kept]);
      await put(late, { text: "Den sene." });
      const { row: lateRow } = await wrappedKey(late);
      await erase(late);
      await test.close();
      expect(Keyring.open(testKeyring(url)).unfinished()).toEqual([partition]);
      test = await startPrimary(url);
      expect(await test.primary.keyRotation.round()).toBe(1);
      const ring = Keyring.open(testKeyring(url));
      expect(ring.unfinished()).toEqual([]);
      expect(ring.find(partition, row["key_version"])).toBe(null);
      expect(ring.find(partition, lateRow["key_version"])).toBe(null);
      expect(await (await test.client.send(`/internal/documents/${kept}`)).json()).toMatchObject({
        text: "Den bevarede.",
      });
    },
  );

  it("loses no document that is written meanwhile", async () => {
    const ids = Array.from({ length: 200 }, (_, number) => `w${number}`);
    await Promise.all(ids.map((id) => put(id, { text: "Første udgave." })));
    const writing = Promise.all(ids.map((id) => put(id, { text: `Anden udgave ${id}.` })));
    const { database } = test.primary;
    let rounds = 0;
    let hasEnded = false;
    void writing.then(() => (hasEnded = true));
    while (!hasEnded || rounds === 0) {
      await database.sql`
        insert into key_rotations (partition, since, urgent, losses)
        select distinct partition, now(), true, 1 from document_keys
        on conflict (partition) do update set urgent = true`;
      rounds += await test.primary.keyRotation.round();
    }
    await writing;
    expect(rounds).toBeGreaterThan(0);
    await test.close();
    test = await startPrimary(url);
    for (const id of ids)
      expect(await (await test.client.send(`/internal/documents/${id}`)).json()).toMatchObject({
        text: `Anden udgave ${id}.`,
      });
  });

  it("refuses a database whose keys the keyring does not have", async () => {
    await put("d1", { text: "Tekst." });
    await test.close();
    await expect(startPrimary(url, { keyring: testKeyring(`${url}/none`) })).rejects.toThrow(KeyringError);
    test = await startPrimary(url);
  });
});

describe("a database that was restored to a backup", () => {
  it("has every document that was not erased since, in the content of that time; those that were are erased again (I20)", async () => {
    const [gone, kept] = neighbours();
    await put(gone, { text: "Den slettede." });
    await put(kept, { text: "Den bevarede." });
    await put("replaced", { text: "Den gamle." });
    await test.close();
    const backup = `${new URL(url).pathname.slice(1)}_backup`;
    await administer(`create database ${backup} template ${new URL(url).pathname.slice(1)}`);
    await administer(`create database ${backup}_before template ${backup}`);
    test = await startPrimary(url);
    await erase(gone);
    await put("replaced", { text: "Den nye." });
    await rotateAll();
    await rotateAll();
    await test.close();
    const place = testKeyring(url);
    const restored = url.replace(/[^/]+$/, backup);
    test = await startPrimary(restored, { keyring: place });
    expect((await test.client.send(`/internal/documents/${gone}`)).status).toBe(404);
    const textOf = async (id: string): Promise<unknown> =>
      (await (await test.client.send(`/internal/documents/${id}`)).json()).text;
    expect(await textOf(kept)).toBe("Den bevarede.");
    expect(await textOf("replaced")).toBe("Den gamle.");
    const { sql } = test.primary.database;
    const [change] =
      await sql`select kind, held_before from changes where document_id = ${gone} order by sequence desc`;
    expect(change).toMatchObject({ kind: "delete", held_before: ["dk-cph", "archive-dk"] });
    expect(await sql`select from receipts where document_id = ${gone}`).toHaveLength(1);
    // Without the list nobody can tell an erasure from a keyring of another database.
    const list = join(place.folder, "erasures");
    await test.close();
    const again = `${backup}_again`;
    await administer(`create database ${again} template ${backup}_before`);
    renameSync(list, `${list}.away`);
    await expect(startPrimary(url.replace(/[^/]+$/, again), { keyring: place })).rejects.toThrow(
      KeyringError,
    );
    renameSync(`${list}.away`, list);
    test = await startPrimary(restored, { keyring: place });
    // Once more, with nothing to do; then on with work.
    await test.close();
    test = await startPrimary(restored, { keyring: place });
    await put(kept, { text: "Den bevarede, ændret." });
    await rotateAll();
    expect(await textOf(kept)).toBe("Den bevarede, ændret.");
  });

  /** Gives every partition that has a key a new wrapping key. */
  async function rotateAll(): Promise<void> {
    await test.primary.database.sql`
      insert into key_rotations (partition, since, urgent, losses)
      select distinct partition, now(), true, 1 from document_keys
      on conflict (partition) do update set urgent = true`;
    let count = 0;
    for (let done = 1; done > 0; count += done) done = await test.primary.keyRotation.round();
    expect(count).toBeGreaterThan(0);
  }
});

async function administer(statement: string): Promise<void> {
  const sql = postgresJs(url.replace(/[^/]+$/, "postgres"), { max: 1 });
  await sql.unsafe(statement);
  await sql.end();
}
