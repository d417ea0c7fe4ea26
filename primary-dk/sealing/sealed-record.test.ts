import { randomBytes } from "node:crypto";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { network, startPrimary, testKeyring, type TestPrimary } from "../primary.fixture.ts";
import { ErasureList } from "./erasure-list.ts";
import { Keyring, PARTITIONS } from "./keyring.ts";
import { SealError } from "./seal.ts";
import { RecordOpener, sealRecord } from "./sealed-record.ts";

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

const ARCHIVE = "archive-dk";
const { model, dimensions } = network.embedding;

async function put(id: string, body: object): Promise<void> {
  const answer = await test.client.put(id, { title: "Afgørelse", residency: "dk-only", ...body });
  expect(answer.status).toBeLessThan(300);
}

async function sealedOf(id: string): Promise<SealedRecord> {
  const { changes } = await test.client.feed(ARCHIVE, "0");
  const change = changes.findLast((each) => each.kind === "put-sealed" && each.document_id === id);
  if (change?.kind !== "put-sealed") throw new Error(`expected ${id} in the feed`);
  return change.sealed;
}

/** By the files alone, as somebody opens an archive later. */
function openerOf(serving = model, place = testKeyring(url)): RecordOpener {
  const erased = new ErasureList(place.folder).documents();
  return new RecordOpener(Keyring.read(place), { model: serving, erased });
}

/** A document whose key is wrapped by the same as that of `document`. */
function neighbourOf(document: SealedRecord): string {
  const { seals } = test.primary;
  const ids = Array.from({ length: 20_000 }, (_, number) => `d${number}`);
  const found = ids.find((id) => seals.wrap(seals.newKey(id)).partition === document.key.partition);
  if (found === undefined) throw new Error("expected a neighbour");
  return found;
}

async function rotate(): Promise<void> {
  while ((await test.primary.keyRotation.round()) > 0);
}

describe("what the feed sends to an archive", () => {
  it("is sealed: nothing of id, title, text, metadata or passages stands in it, the vectors of the model are left out (I5, I20)", async () => {
    const canary = (): string => `kanarie${randomBytes(12).toString("hex")}`;
    const [id, title, text, key, value, own, collection] = Array.from({ length: 7 }, canary);
    const passages = [{ text: `Et stykke: ${own}` }];
    await put(id ?? "", {
      title,
      text: `Ord ${text}.`,
      metadata: { [key ?? ""]: value },
      passages,
      collection,
    });
    const told = JSON.stringify(await sealedOf(id ?? ""));
    const decoded = told.replaceAll(/"([A-Za-z0-9+/=]{40,})"/g, (_, part: string) =>
      Buffer.from(part, "base64").toString("latin1"),
    );
    for (const secret of [id, title, text, key, value, own, collection]) {
      expect(told).not.toContain(secret);
      expect(decoded).not.toContain(secret);
    }
    const [open] = (await test.client.feed("dk-cph", "0")).changes;
    expect(JSON.stringify(open)).toContain(title);
    expect(JSON.parse(told).vectors).toEqual([]);
  });

  it("opens to the document as it was given, with vectors of the serving model alone", async () => {
    const vector = Array.from({ length: dimensions }, (_, index) => (index === 3 ? 1 : 0));
    const whole = {
      title: "Dom",
      text: "Første stykke.\n\nAndet stykke.",
      collection: "domme",
      lang: "da",
      residency: "eu",
      metadata: { nr: 7 },
      importance: 0.9,
      published_at: "2016-04-27T00:00:00.000Z",
      tier: "cold",
      passages: [{ text: "Første stykke." }, { text: "Ikke i teksten.", vector }],
    };
    await put("given", whole);
    await put("plain", { text: "Kun en tekst." });
    const opened = openerOf().open(await sealedOf("given"));
    expect(opened).toEqual({ id: "given", ...whole });
    const other = openerOf("another-model").open(await sealedOf("given"));
    expect(other?.passages).toEqual([{ text: "Første stykke." }, { text: "Ikke i teksten." }]);
    expect(openerOf().open(await sealedOf("plain"))).toMatchObject({ id: "plain", text: "Kun en tekst." });
    expect(openerOf().open(await sealedOf("plain"))).not.toHaveProperty("passages");
  });

  it("opens after its partition's key was replaced, and never once its document is erased (I20)", async () => {
    await put("gone", { text: "Den slettede." });
    const gone = await sealedOf("gone");
    const neighbour = neighbourOf(gone);
    await put(neighbour, { text: "Den bevarede." });
    const kept = await sealedOf(neighbour);
    expect(openerOf().open(gone)).toMatchObject({ text: "Den slettede." });
    expect((await test.client.send("/internal/documents/gone", { method: "DELETE" })).status).toBe(202);
    await rotate();
    expect(openerOf().open(gone)).toBeNull();
    // Wrapped by the version that is gone: opened from what was set aside beside the keyring.
    expect(Keyring.read(testKeyring(url)).find(kept.key.partition, kept.key.version)).toBeNull();
    expect(openerOf().open(kept)).toMatchObject({ id: neighbour, text: "Den bevarede." });
    // What is sent from now on is wrapped by the new one.
    expect((await sealedOf(neighbour)).key.version).toBeGreaterThan(kept.key.version);
  });

  it("is not handed on to a later key by a snapshot from before the erasure (I20)", async () => {
    await put("gone", { text: "Den slettede." });
    const { sql } = test.primary.database;
    const [document] =
      await sql`select d.*, k.partition, k.key_version, k.wrapped, k.key_id from documents d join document_keys k on k.document_id = d.id`;
    if (document === undefined) throw new Error("expected the document");
    expect((await test.client.send("/internal/documents/gone", { method: "DELETE" })).status).toBe(202);
    await rotate();
    // This process has not forgotten the key yet, as a feed that began before has not.
    const late = sealRecord({ document, passages: [], given: new Set() }, test.primary.seals);
    expect(openerOf().open(late)).toBeNull();
  });

  it("is refused where it was altered, or stands under another name or class (I5)", async () => {
    await put("a", { text: "Den ene." });
    await put("b", { text: "Den anden." });
    const [a, b] = [await sealedOf("a"), await sealedOf("b")];
    const opener = openerOf();
    expect(() => opener.open({ ...a, residency: "global" })).toThrow(SealError);
    // What stood there before was put back under a later write's name.
    expect(() => opener.open({ ...a, epoch: a.epoch + 1 })).toThrow(SealError);
    expect(() => opener.open({ ...a, version: b.version })).toThrow(SealError);
    expect(() => opener.open({ ...a, digest: b.digest })).toThrow(SealError);
    expect(() => opener.open({ ...a, key: { ...a.key, version: a.key.version + 1 } })).toThrow(SealError);
    for (const partition of [(a.key.partition + 1) % PARTITIONS, PARTITIONS])
      expect(() => opener.open({ ...a, key: { ...a.key, partition } })).toThrow(SealError);
    expect(() => opener.open({ ...a, document: b.document })).toThrow(SealError);
    expect(() => opener.open({ ...a, body: b.body })).toThrow(SealError);
    expect(() => opener.open({ ...a, head: `${a.head.slice(0, -8)}AAAAAAA=` })).toThrow(SealError);
  });

  it("is authentic only as a whole: every part opens, whichever model it is for, and none is taken out", async () => {
    const vector = Array.from({ length: dimensions }, (_, index) => (index === 3 ? 1 : 0));
    const passages = [{ text: "Første stykke." }, { text: "Ikke i teksten.", vector }];
    await put("given", { text: "Første stykke.\n\nAndet stykke.", passages });
    await put("plain", { text: "Kun en tekst." });
    const given = await sealedOf("given");
    const [own, other] = [openerOf(), openerOf("another-model")];
    for (const opener of [own, other]) {
      expect(opener.authenticate(given)).toBe(true);
      expect(opener.authenticate(await sealedOf("plain"))).toBe(true);
      const altered = (sealed: string): string => `${sealed.slice(0, -8)}AAAAAAA=`;
      const [text] = given.own;
      const [dense] = given.vectors;
      if (text === undefined || dense === undefined)
        throw new Error("expected a text and a vector of its own");
      for (const changed of [
        { own: [] },
        { own: [{ ...text, text: altered(text.text) }] },
        { own: [{ ...text, ordinal: 1 }] },
        { vectors: [{ ...dense, dense: altered(dense.dense) }] },
        { vectors: [{ ...dense, ordinal: 1 }] },
        { body: altered(given.body) },
        { head: (await sealedOf("plain")).head },
      ])
        expect(() => opener.authenticate({ ...given, ...changed })).toThrow(SealError);
    }
    // As the feed sends it once another model serves; while this one does, somebody has taken them out.
    expect(other.authenticate({ ...given, vectors: [] })).toBe(true);
    expect(() => own.authenticate({ ...given, vectors: [] })).toThrow(SealError);
    expect((await test.client.send("/internal/documents/given", { method: "DELETE" })).status).toBe(202);
    await rotate();
    expect(openerOf().authenticate(given)).toBe(false);
  });

  it("is called destroyed only where an erasure says so, not where the keyring is older or the key is another (I20)", async () => {
    await put("gone", { text: "Den slettede." });
    const gone = await sealedOf("gone");
    const neighbour = neighbourOf(gone);
    await put(neighbour, { text: "Den bevarede." });
    const kept = await sealedOf(neighbour);
    const place = testKeyring(url);
    const older = { ...place, folder: `${place.folder}-older` };
    cpSync(place.folder, older.folder, { recursive: true });
    expect((await test.client.send("/internal/documents/gone", { method: "DELETE" })).status).toBe(202);
    await rotate();
    expect(openerOf().open(gone)).toBeNull();
    const later = await sealedOf(neighbour);
    expect(later.key.version).toBeGreaterThan(kept.key.version);
    expect(() => openerOf(model, older).open(later)).toThrow(SealError);
    // A document that lives, under the name of a key that nobody has.
    expect(() => openerOf().open({ ...kept, key: { ...kept.key, id: "AAAA" } })).toThrow(SealError);
    // Erased once, and written again since.
    await put("gone", { text: "Den er her igen." });
    rmSync(older.folder, { recursive: true });
    cpSync(place.folder, older.folder, { recursive: true });
    expect((await test.client.send(`/internal/documents/${neighbour}`, { method: "DELETE" })).status).toBe(
      202,
    );
    const again = await sealedOf("gone");
    await rotate();
    expect(openerOf().open(again)).toMatchObject({ text: "Den er her igen." });
    expect(() => openerOf().open({ ...again, key: { ...again.key, id: "AAAA" } })).toThrow(SealError);
    const latest = await sealedOf("gone");
    expect(latest.key.version).toBeGreaterThan(again.key.version);
    expect(() => openerOf(model, older).open(latest)).toThrow(SealError);
    // Without the list nothing explains what is missing.
    expect(openerOf().open(kept)).toBeNull();
    rmSync(join(place.folder, "erasures"));
    expect(() => openerOf().open(kept)).toThrow(SealError);
    rmSync(older.folder, { recursive: true });
  });

  it("does not hold back for a model that is being prepared, and takes any model's name", async () => {
    await put("a", { text: "Tekst." });
    const { changes, head } = await test.client.feed(ARCHIVE, "0", { model: "a-model-that-is-gone" });
    expect(changes.map(({ kind }) => kind)).toEqual(["put-sealed"]);
    expect(head.model).toBe(model);
  });
});
