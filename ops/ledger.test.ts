import { Readable } from "node:stream";
import { bucketOf } from "@kattegat/primary-dk/ledger/buckets.ts";
import { documentHash } from "@kattegat/primary-dk/ledger/entry.ts";
import { inclusionPath, leafHash, rootOf, type Hash } from "@kattegat/primary-dk/ledger/merkle.ts";
import { startPostgres, type PostgresFixture } from "@kattegat/primary-dk/postgres.fixture.ts";
import { network, startPrimary, type TestPrimary } from "@kattegat/primary-dk/primary.fixture.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CompactRange } from "./ledger/compact-range.ts";
import { verifyLedger } from "./ledger/verify-ledger.ts";
import { rootFrom, verifyProof, ProofError } from "./verify-proof.ts";

let postgres: PostgresFixture;
let test: TestPrimary;
beforeAll(async () => {
  postgres = await startPostgres();
  test = await startPrimary(await postgres.database());
});
afterAll(async () => {
  await test.close();
  await postgres.stop();
});

async function put(id: string, residency: string, tier: string): Promise<void> {
  const answer = await test.client.put(id, { title: id, text: `Tekst ${id}.`, residency, tier });
  expect(answer.status).toBeLessThan(300);
}

/** As replication does when a site has applied the log so far. */
/** The site has come to the log's head; what it hid is gone, unless it is said to be there. */
async function confirm(site: string, { isRemoved = true } = {}): Promise<void> {
  const { fence } = test.primary.applied.head;
  await test.primary.confirmations.confirm({
    site,
    watermark: fence,
    ...(isRemoved ? { removed: fence } : {}),
    lag_ms: 0,
    lag_changes: 0,
    parked: 0,
    healthy: true,
  });
}

async function prove(document: string, site: string, recorded: boolean) {
  const proof = await test.primary.ledger.prove(document);
  const file = { ...proof, statement: { document, site, recorded } };
  return {
    file,
    verified: () => verifyProof(JSON.parse(JSON.stringify(file)), test.primary.ledger.verifierKey),
  };
}

/** Another id whose record would stand in the same bucket. */
function neighbourOf(id: string): string {
  const bucket = bucketOf(documentHash(id));
  for (let number = 0; ; number += 1)
    if (bucketOf(documentHash(`n${number}`)) === bucket) return `n${number}`;
}

describe("the ledger of copies", () => {
  it("proves each copy that was planned, applied, withdrawn, erased, and that there is no other (I21)", async () => {
    for (let number = 0; number < 40; number += 1) await put(`global-${number}`, "global", "warm");
    await put("danish", "dk-only", "warm");
    const planned = (await prove("global-7", "eu-fra", true)).verified();
    expect(planned).toMatchObject({
      recorded: true,
      copy: { applied: null, class: "global", jurisdiction: "DE" },
    });
    await confirm("eu-fra");
    expect((await prove("global-7", "eu-fra", true)).verified()).toMatchObject({
      copy: { applied: { epoch: 1 } },
    });
    expect((await prove("global-7", "eu-arn", true)).verified()).toMatchObject({
      copy: { applied: null },
    });
    expect((await prove("danish", "dk-cph", true)).verified()).toMatchObject({
      copy: { applied: { epoch: 1 } },
    });
    for (const site of ["eu-fra", "eu-arn", "edge-eu", "edge-global"])
      expect((await prove("danish", site, false)).verified()).toMatchObject({ recorded: false, copy: null });
    expect((await prove("never-stored", "eu-fra", false)).verified()).toMatchObject({ recorded: false });
    // Reclassified: withdrawn once the site is rid of it.
    await put("global-7", "dk-only", "warm");
    await confirm("eu-fra", { isRemoved: false });
    expect((await prove("global-7", "eu-fra", true)).verified()).toMatchObject({ recorded: true });
    await confirm("eu-fra");
    expect((await prove("global-7", "eu-fra", false)).verified()).toMatchObject({ recorded: false });
    expect((await prove("global-7", "dk-cph", true)).verified()).toMatchObject({
      copy: { class: "dk-only" },
    });
    // Erased: at the site when it is rid of it, at the primary when the key is destroyed and no file has it.
    expect((await test.client.send("/internal/documents/global-8", { method: "DELETE" })).status).toBe(202);
    expect((await prove("global-8", "dk-cph", true)).verified()).toMatchObject({ recorded: true });
    await confirm("eu-fra", { isRemoved: false });
    await test.primary.keyRotation.round();
    for (const site of ["dk-cph", "eu-fra"])
      expect((await prove("global-8", site, true)).verified()).toMatchObject({ recorded: true });
    await confirm("eu-fra");
    await confirm("eu-arn");
    await test.primary.ownRemoval.round();
    for (const site of ["dk-cph", "eu-fra", "eu-arn"])
      expect((await prove("global-8", site, false)).verified()).toMatchObject({ recorded: false });
  });

  it("keeps a copy that came again, when the end of the one before is recorded later (I21)", async () => {
    await put("again", "global", "warm");
    expect((await test.client.send("/internal/documents/again", { method: "DELETE" })).status).toBe(202);
    await put("again", "global", "warm");
    await test.primary.keyRotation.round();
    await test.primary.ownRemoval.round();
    await confirm("eu-fra");
    for (const site of ["dk-cph", "eu-fra"])
      expect((await prove("again", site, true)).verified()).toMatchObject({
        copy: { applied: { epoch: 1 } },
      });
    expect((await test.client.send("/internal/documents/again", { method: "DELETE" })).status).toBe(202);
    await test.primary.keyRotation.round();
    await test.primary.ownRemoval.round();
    await confirm("eu-fra");
    for (const site of ["dk-cph", "eu-fra"])
      expect((await prove("again", site, false)).verified()).toMatchObject({ recorded: false });
  });

  it("records once what two models of a site confirm at once (I21)", async () => {
    await put("twice", "global", "warm");
    await Promise.all(Array.from({ length: 4 }, () => confirm("eu-arn")));
    const entries = await test.primary.ledger.entries({ from: 0, limit: 100, document: "twice" });
    const applied = entries
      .map((entry) => JSON.parse(entry))
      .filter(({ kind, site }) => kind === "applied" && site === "eu-arn");
    expect(applied).toHaveLength(1);
  });

  it("proves the withdrawn copies of a site that has left the network file, and knows that site from others (I21)", async () => {
    const url = await postgres.database();
    const shipped = test;
    test = await startPrimary(url);
    try {
      for (const id of ["gone", "planned"]) await put(id, "global", "warm");
      await confirm("eu-arn");
      await put("gone", "dk-only", "warm");
      await confirm("eu-arn");
      await test.close();
      const sites = network.sites.filter(({ id }) => id !== "eu-arn" && id !== "eu-fra");
      test = await startPrimary(url, { network: { ...network, sites } });
      expect((await prove("gone", "eu-arn", false)).verified()).toMatchObject({ recorded: false });
      expect((await prove("planned", "eu-arn", true)).verified()).toMatchObject({
        copy: { jurisdiction: "SE", applied: { epoch: 1 } },
      });
      expect((await prove("planned", "eu-fra", true)).verified()).toMatchObject({ copy: { applied: null } });
      // One confirmed, the other stands in entries about this document alone.
      expect(await test.primary.ledger.sites("planned")).toEqual(
        expect.arrayContaining(["dk-cph", "eu-arn", "eu-fra"]),
      );
      const ofNone = await test.primary.ledger.sites("never-stored");
      expect(ofNone).toContain("eu-arn");
      expect(ofNone).not.toContain("eu-fra");
    } finally {
      await test.close();
      test = shipped;
    }
  });

  it("refuses a proof of which any part was changed (I21)", async () => {
    const key = test.primary.ledger.verifierKey;
    for (const [document, site, recorded] of [
      ["global-1", "eu-fra", true],
      ["danish", "eu-fra", false],
      ["never-stored", "eu-fra", false],
      [neighbourOf("danish"), "dk-cph", false],
    ] as const) {
      const { file, verified } = await prove(document, site, recorded);
      verified();
      const text = JSON.stringify(file);
      const reject = (changed: unknown) => expect(() => verifyProof(changed, key)).toThrow(ProofError);
      reject({ ...file, statement: { document, site, recorded: !recorded } });
      reject({ ...file, statement: { document: "another", site, recorded: true } });
      for (let count = 0; count < (file.records?.length ?? 0); count += 1)
        reject({ ...file, records: file.records?.slice(0, count) });
      reject({ ...file, bucket: { ...file.bucket, documents: (file.bucket?.documents ?? 0) + 1 } });
      reject({
        ...file,
        checkpoint: file.checkpoint?.replace(/^(.*\n)(\d+)/, (_, name, size) => `${name}${Number(size) + 1}`),
      });
      reject({ ...file, state: { ...file.state, index: (file.state?.index ?? 0) - 1 } });
      // Each text and hash of the file, one character changed.
      let tried = 0;
      for (const match of text.matchAll(/"([A-Za-z0-9+/]{43}=)"/g)) {
        const at = (match.index ?? 0) + 5;
        const changed = `${text.slice(0, at)}${text[at] === "A" ? "B" : "A"}${text.slice(at + 1)}`;
        expect(() => verifyProof(JSON.parse(changed), key)).toThrow(ProofError);
        tried += 1;
      }
      expect(tried).toBeGreaterThan(16);
      const other = await startPrimary(await postgres.database());
      expect(() =>
        verifyProof(file, other.primary.ledger.verifierKey.replace("dk-cph", "elsewhere")),
      ).toThrow(ProofError);
      await other.close();
    }
  });

  it("signs the same head again when nothing was recorded, and one that a process before left unsigned", async () => {
    const first = await test.primary.ledger.checkpoint();
    expect(await test.primary.ledger.checkpoint()).toEqual(first);
    await test.primary.database.sql`delete from ledger_checkpoints where size = ${String(first?.size)}`;
    expect(await test.primary.ledger.checkpoint()).toEqual(first);
  });

  it("says nothing of a document but a hash of its id", async () => {
    const entries = await test.primary.ledger.entries({ from: 0, limit: 5_000 });
    expect(entries.length).toBeGreaterThan(100);
    for (const entry of entries) expect(entry).not.toMatch(/global-\d|danish|Tekst/);
  });
});

describe("the verification of a whole ledger", () => {
  const verdict = async (change: (entries: string[]) => string[], earlier: readonly string[] = []) => {
    const checkpoint = await test.primary.ledger.checkpoint();
    const entries = change([...(await test.primary.ledger.entries({ from: 0, limit: 100_000 }))]);
    return verifyLedger(Readable.from(entries), {
      verifierKey: test.primary.ledger.verifierKey,
      checkpoint: checkpoint?.note ?? "",
      chain: Buffer.from(await test.primary.ledger.chain(checkpoint?.size ?? 0)).toString("hex"),
      earlier,
      progress: () => {},
    });
  };

  it("accepts what was recorded, and that it grew from checkpoints that were kept (I21)", async () => {
    const kept = (await test.primary.ledger.checkpoint())?.note ?? "";
    // Subtrees of 256 entries are stored, others hashed by need.
    const line = (number: number) => ({
      id: `many-${number}`,
      title: "T",
      text: `Tekst ${number}.`,
      residency: "eu",
      tier: "warm",
    });
    await test.client.batch(Array.from({ length: 400 }, (_, number) => line(number)));
    (await prove("many-17", "eu-fra", true)).verified();
    const found = await verdict((entries) => entries, [kept]);
    expect(found).toMatchObject({ findings: [], copies: { "dk-cph": 441 } });
    expect(found.states).toBeGreaterThan(5);
  });

  it.each<readonly [string, (entries: string[]) => string[]]>([
    [
      "was changed",
      (entries) => entries.map((entry, at) => (at === 3 ? entry.replace("global", "dk-only") : entry)),
    ],
    ["is missing", (entries) => entries.toSpliced(5, 1)],
    ["was added", (entries) => entries.toSpliced(5, 0, entries[4] ?? "")],
    [
      "changed its place",
      (entries) => [...entries.slice(0, 4), entries[5] ?? "", entries[4] ?? "", ...entries.slice(6)],
    ],
    [
      "is another form of the same",
      (entries) => entries.map((entry, at) => (at === 3 ? ` ${entry}` : entry)),
    ],
    ["is missing at the end", (entries) => entries.slice(0, -1)],
  ])("finds an entry that %s (I21)", async (_, change) => {
    expect((await verdict(change)).findings.length).toBeGreaterThan(0);
  });

  it("finds a ledger that was rewritten to the size of a checkpoint that was kept (I21)", async () => {
    const note = (await test.primary.ledger.checkpoint())?.note ?? "";
    const [, size] = note.split("\n");
    const other = test.primary.ledgerSigner.checkpoint({ size: Number(size), root: leafHash("another") });
    expect((await verdict((entries) => entries, [other])).findings).toHaveLength(1);
  });

  it("finds a ledger that was rewritten since a checkpoint was kept (I21)", async () => {
    const kept = (await test.primary.ledger.checkpoint())?.note ?? "";
    const [, size] = kept.split("\n");
    const { sql } = test.primary.database;
    const [row] = await sql`select entry from ledger_entries where index = 2`;
    const changed = String(row?.["entry"]).replace("global", "dk-only");
    await sql`update ledger_entries set entry = ${changed}, leaf = ${leafHash(changed)} where index = 2`;
    await put("after", "global", "warm");
    expect((await verdict((entries) => entries, [kept])).findings).toContainEqual({
      index: null,
      detail: `its first ${size} entries are not those that a checkpoint of this size signs`,
    });
  });
});

describe("the Merkle tree", () => {
  it("has audit paths that lead from each leaf to the root, which a range that grows has too", () => {
    const range = new CompactRange();
    const leaves: Hash[] = [];
    for (let size = 1; size <= 70; size += 1) {
      const added = leafHash(String(size));
      leaves.push(added);
      range.append(added);
      const root = Buffer.from(rootOf(leaves));
      expect(Buffer.from(range.root())).toEqual(root);
      for (const [index, leaf] of leaves.entries()) {
        const path = inclusionPath(leaves, index).map((hash) => Buffer.from(hash));
        expect(rootFrom(Buffer.from(leaf), { index, size, path })).toEqual(root);
      }
    }
  });

  it("has the root of its specification's example", () => {
    // RFC 6962, as in the test vectors of certificate transparency: the leaves "", 00, 10, 20 21, 30 31, 40-43, 50-57, 60-6f.
    const inputs = [
      "",
      "00",
      "10",
      "2021",
      "3031",
      "40414243",
      "5051525354555657",
      "606162636465666768696a6b6c6d6e6f",
    ];
    const leaves = inputs.map((hex) => leafHash(Buffer.from(hex, "hex")));
    expect(Buffer.from(rootOf(leaves)).toString("hex")).toBe(
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    );
  });
});
