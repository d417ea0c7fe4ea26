import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ColdManifest, ManifestSegment } from "@kattegat/engine/cold/manifest.ts";
import { encodeSegment, openSegment } from "@kattegat/engine/cold/segment.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { repairListSchema, type RepairList } from "@kattegat/protocol/digests.ts";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import { createColdStore } from "@kattegat/replication/cold-store.ts";
import { prefixOf } from "@kattegat/replication/archive/object-name.ts";
import { checksumOf } from "@kattegat/replication/edge-target.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import { QdrantClient } from "@qdrant/js-client-rest";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { archiveBuckets, connectSites } from "../commands/connection.ts";
import { readNetwork } from "../configured-network.ts";
import { dataFolder } from "../local/folder.ts";
import { qdrantName } from "../local/process-names.ts";
import { runningProcess } from "../local/running-process.ts";
import { readSettings } from "../settings.ts";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";

const WAIT_MS_MAX = 90_000;
const EDITS_MAX = 20;
/** More than the first tests store. */
const BASE_PASSAGES_MIN = 60;
let network: TestNetwork;
beforeAll(async () => {
  const environment = {
    KATTEGAT_COMPARE_EVERY_MS: "2000",
    KATTEGAT_SCRUB_PASS_MS_MIN: "1000",
    KATTEGAT_BASE_PASSAGES_MIN: String(BASE_PASSAGES_MIN),
  };
  network = await startTestNetwork({ samples: "none", environment });
}, 160_000);
afterAll(() => network?.stop());

const embeddingModel = readNetwork(readSettings({})).network.embedding.model;

async function put(id: string, residency: string, tier: string, text = ""): Promise<void> {
  const passages = [1, 2, 3].map((number) => ({ text: `Stykke ${number} af ${id} om havn. ${text}` }));
  const answer = await fetch(`${network.url}/v1/documents/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${network.key}`, "content-type": "application/json" },
    body: JSON.stringify({ title: `Sag ${id}`, passages, residency, tier }),
  });
  expect(answer.status).toBeLessThan(300);
}

async function repairs(): Promise<RepairList["repairs"]> {
  const { stdout } = await network.kattegat("residency", "repairs", "--json");
  return repairListSchema.parse(JSON.parse(stdout)).repairs;
}

async function foundAt(site: string): Promise<Readonly<Record<string, string>>> {
  const its = (await repairs()).filter((repair) => repair.site === site);
  return Object.fromEntries(its.map(({ document_id: id, kind }) => [id, kind]));
}

async function comparisonOf(site: string) {
  const { sites } = networkStatusSchema.parse(await (await network.get("/v1/network")).json());
  return sites.find(({ id }) => id === site)?.comparison;
}

/** The site's store itself, past everything that guards it. */
async function storeOf(site: string) {
  const { url } = runningProcess(network.data, qdrantName(site));
  const client = new QdrantClient({ url, checkCompatibility: false });
  const { collections } = await client.getCollections();
  const passages = collections.find(({ name }) => name.startsWith("kattegat_passages"))?.name ?? "";
  const pointsOf = async (document: string) =>
    (
      await client.scroll(passages, {
        filter: { must: [{ key: "document_id", match: { value: document } }] },
        limit: 100,
        with_payload: true,
        with_vector: true,
      })
    ).points.toSorted((a, b) => Number(a.payload?.["ordinal"]) - Number(b.payload?.["ordinal"]));
  return { client, passages, pointsOf };
}

const named = z.record(z.string(), z.any());

/** Spoils a copy of each document in another way; returns which fault each is. */
async function plant(site: string): Promise<Readonly<Record<string, string>>> {
  const { client, passages, pointsOf } = await storeOf(site);
  const at = async (document: string, ordinal: number) => {
    const point = (await pointsOf(document))[ordinal - 1];
    if (point === undefined) throw new Error(`expected passage ${ordinal} of ${document} at ${site}`);
    return point;
  };
  const wait = true;
  await client.delete(passages, { wait, points: (await pointsOf("warm-1")).map(({ id }) => id) });
  await client.delete(passages, { wait, points: [(await at("warm-2", 2)).id] });
  await client.setPayload(passages, {
    wait,
    payload: { text: "Noget andet." },
    points: [(await at("warm-3", 1)).id],
  });
  const turned = await at("warm-4", 3);
  const { dense, lexical } = named.parse(turned.vector);
  await client.upsert(passages, {
    wait,
    points: [
      {
        id: turned.id,
        vector: { dense: dense.toReversed(), lexical },
        payload: named.parse(turned.payload),
      },
    ],
  });
  const old = (await pointsOf("warm-5")).map(({ id }) => id);
  await client.setPayload(passages, { wait, payload: { version: "1" }, points: old });
  await client.setPayload(passages, {
    wait,
    payload: { metadata: { paragraf: "§ 9" } },
    points: [(await at("warm-6", 2)).id],
  });
  const vector = named.parse(turned.vector);
  const planted = (number: number, document_id: string, residency: string) => ({
    id: `00000000-0000-4000-8000-00000000000${number}`,
    vector,
    payload: { document_id, ordinal: 1, version: "1", residency },
  });
  const points = [planted(1, "never-was", "eu"), planted(2, "secret-1", "dk-only")];
  await client.upsert(passages, { wait, points });
  return {
    "warm-1": "missing",
    "warm-2": "missing",
    "warm-3": "corrupted",
    "warm-4": "corrupted",
    "warm-5": "stale",
    "warm-6": "corrupted",
    "never-was": "extra",
    "secret-1": "leak",
  };
}

it("finds and heals each kind of fault in a regional's store while documents are written, and nothing else (I25)", async () => {
  for (let number = 1; number <= 12; number += 1) await put(`warm-${number}`, "eu", "warm");
  await put("secret-1", "dk-only", "hot");
  await expect
    .poll(async () => (await comparisonOf("eu-fra"))?.state, { timeout: WAIT_MS_MAX })
    .toBe("equal");
  const writing = new AbortController();
  let written = 0;
  const writer = (async () => {
    for (; !writing.signal.aborted; written += 1) {
      await put(`busy-${written % 20}`, "eu", "warm", `Udgave ${written}.`);
      await sleep(20);
    }
  })();
  const wanted = await plant("eu-fra");
  const found = () => foundAt("eu-fra");
  await expect.poll(found, { timeout: WAIT_MS_MAX, interval: 1_000 }).toMatchObject(wanted);
  await expect.poll(() => written, { timeout: WAIT_MS_MAX }).toBeGreaterThan(50);
  writing.abort();
  await writer;
  expect(await found()).toEqual(wanted);
  await expect
    .poll(async () => (await comparisonOf("eu-fra"))?.state, { timeout: WAIT_MS_MAX })
    .toBe("equal");
  const { pointsOf } = await storeOf("eu-fra");
  for (let number = 1; number <= 6; number += 1) {
    const points = await pointsOf(`warm-${number}`);
    const texts = points.map(({ payload }) => payload?.["text"]);
    expect(texts, `warm-${number}`).toEqual(
      [1, 2, 3].map((place) => expect.stringContaining(`Stykke ${place} af warm-${number}`)),
    );
  }
  for (const gone of ["never-was", "secret-1"]) expect(await pointsOf(gone)).toEqual([]);
  const comparison = await comparisonOf("eu-fra");
  expect(comparison).toMatchObject({ unhealed: 0, pending: 0 });
  expect(comparison?.repaired).toBeGreaterThanOrEqual(8);
});

/** The zone's bucket past everything that guards it: its manifest, its objects, the files that they are. */
async function bucketOf(site: string) {
  const sites = await connectSites(readSettings({ KATTEGAT_DATA: network.data }), { url: network.url });
  const client = sites.site(site);
  if (client === null) throw new Error(`expected an address of ${site}`);
  const { embedding } = readNetwork(readSettings({})).network;
  const store = createColdStore(client, embedding);
  const signal = AbortSignal.timeout(2 * WAIT_MS_MAX);
  const manifest = async () => {
    const held = await store.readManifest(signal);
    if (held === null) throw new Error("expected a manifest");
    return held;
  };
  /** Again and again, since replication publishes meanwhile. */
  async function edit(change: (before: ColdManifest) => Promise<ColdManifest>): Promise<void> {
    for (let left = EDITS_MAX; ; left -= 1) {
      const { manifest: before, etag } = await manifest();
      const next = { ...(await change(before)), generation: before.generation + 1 };
      const failure = await store.writeManifest(next, etag, signal).then(
        () => null,
        (error: unknown) => ({ error }),
      );
      if (failure === null) return;
      if (left === 0) throw failure.error;
    }
  }
  /** A segment of one document that nobody planned. */
  async function segment(documentId: string, version: string): Promise<ManifestSegment> {
    const dense = toCanonical(Float32Array.from({ length: embedding.dimensions }, (_, at) => at + 1));
    const content = { title: "", text: "Noget andet.", lang: null, metadata: {}, publishedAt: null };
    const place = { documentId, ordinal: 1, version, epoch: 1, residency: "eu", collection: "default" };
    const sparse = { indices: Uint32Array.of(7), values: Float32Array.of(1) };
    const bytes = new Uint8Array(encodeSegment([{ ...place, ...content, dense, sparse }], embedding));
    const key = `segments/planted-${documentId}.seg`;
    await store.putObject(key, bytes, signal);
    const checksum = checksumOf(bytes);
    return { key, bytes: bytes.byteLength, passages: 1, documents: 1, checksum, tombstones: [] };
  }
  const holds = async ({ key, bytes, checksum }: ManifestSegment, id: string): Promise<boolean> => {
    const read = (offset: number, length: number) => store.readObject(key, { offset, length }, signal);
    const options = { scanner: readScanner(), totalBytes: bytes, checksum };
    return [...(await openSegment(read, options)).documents()].some(({ documentId }) => documentId === id);
  };
  /** The segment that shows the document. */
  async function holderOf(id: string, shown?: ColdManifest): Promise<ManifestSegment | null> {
    for (const each of (shown ?? (await manifest()).manifest).segments)
      if (!each.tombstones.includes(id) && (await holds(each, id))) return each;
    return null;
  }
  /** Hides documents where they are in this manifest: segments are merged all the time. */
  async function hide(before: ColdManifest, ids: readonly string[]): Promise<ColdManifest> {
    const holders = await Promise.all(
      ids.map(async (id) => [id, (await holderOf(id, before))?.key] as const),
    );
    return {
      ...before,
      segments: before.segments.map((each) => {
        const hidden = holders.flatMap(([id, key]) => (key === each.key ? [id] : []));
        return { ...each, tombstones: [...new Set([...each.tombstones, ...hidden])].toSorted() };
      }),
    };
  }
  /** Turns a bit over on the disk; of the last text where no place is given. */
  function damage(bytes: number, at = bytes - 40): void {
    const blobs = join(dataFolder(network.data).r2, "kattegat-cold-eu", "blobs");
    const paths = readdirSync(blobs).map((name) => join(blobs, name));
    for (const path of paths.filter((each) => statSync(each).size === bytes)) {
      const content = readFileSync(path);
      content[at] = (content[at] ?? 0) ^ 1;
      writeFileSync(path, content);
    }
  }
  const bytesOf = async (key: string): Promise<number> =>
    (await store.readObject(key, { offset: 0, length: 2 ** 30 }, signal)).byteLength;
  return { manifest, edit, segment, damage, hide, holderOf, bytesOf };
}

function archiveOf() {
  const site = readNetwork(readSettings({})).network.sites.find(({ id }) => id === "archive-dk");
  const bucket = site && archiveBuckets(readSettings({ KATTEGAT_DATA: network.data }))(site);
  if (bucket === undefined || bucket === null) throw new Error("expected the bucket of the archive");
  const never = new AbortController().signal;
  const objectOf = async (id: string) => {
    const [version] = await Array.fromAsync(bucket.versions(prefixOf(hashedId(id)), never));
    const stored = version === undefined ? null : await bucket.get(version.key, never);
    return version === undefined || stored === null ? null : { key: version.key, bytes: stored.bytes };
  };
  return { bucket, objectOf, never };
}

it("finds and heals each kind of fault in a zone's bucket (I25)", { timeout: 2 * WAIT_MS_MAX }, async () => {
  for (let number = 1; number <= 6; number += 1) await put(`cold-${number}`, "eu", "cold");
  const state = async () => (await comparisonOf("edge-eu"))?.state;
  const { edit, segment, damage, hide, holderOf } = await bucketOf("edge-eu");
  const settled = { timeout: WAIT_MS_MAX / 3, interval: 500 };
  for (let number = 1; number <= 6; number += 1)
    await expect.poll(() => holderOf(`cold-${number}`), settled).not.toBeNull();
  // Of rounds that began after that.
  const roundsNow = async (): Promise<number> => (await comparisonOf("edge-eu"))?.rounds ?? 0;
  const rounds = await roundsNow();
  await expect.poll(roundsNow, settled).toBeGreaterThan(rounds + 1);
  await expect.poll(state, settled).toBe("equal");
  const planted = [await segment("never-cold", "1"), await segment("cold-2", "1")];
  await edit(async (before) => {
    const without = await hide(before, ["cold-1", "cold-2"]);
    return { ...without, segments: [...without.segments, ...planted] };
  });
  const wanted = { "cold-1": "missing", "cold-2": "stale", "never-cold": "extra" };
  await expect.poll(() => foundAt("edge-eu"), settled).toEqual(wanted);
  await expect.poll(state, settled).toBe("equal");

  await put("zone-last", "eu", "cold");
  await expect.poll(() => holderOf("zone-last"), settled).not.toBeNull();
  const spoilt = await holderOf("zone-last");
  damage(spoilt?.bytes ?? 0);
  await expect.poll(() => foundAt("edge-eu"), settled).toMatchObject({ "zone-last": "corrupted" });
  await expect.poll(state, settled).toBe("equal");
  expect((await holderOf("zone-last"))?.key).not.toBe(spoilt?.key);
  const others = Object.keys(await foundAt("edge-eu")).filter((id) => !/^(cold|never|zone)-/.test(id));
  expect(others).toEqual([]);
});

it(
  "finds and heals damaged rows of a zone's base, of which the next one is made (I25)",
  { timeout: 2 * WAIT_MS_MAX },
  async () => {
    const { manifest, damage, bytesOf } = await bucketOf("edge-eu");
    for (let number = 1; number <= 30; number += 1) await put(`base-${number}`, "eu", "cold");
    const settled = { timeout: WAIT_MS_MAX / 3, interval: 500 };
    const baseNow = async () => (await manifest()).manifest.base;
    await expect.poll(baseNow, settled).not.toBeNull();
    const state = async () => (await comparisonOf("edge-eu"))?.state;
    await expect.poll(state, settled).toBe("equal");
    const base = await baseNow();
    const size = await bytesOf(`${base?.key}.rows.0`);
    damage(size, Math.floor(size / 2));
    const corrupted = async (): Promise<readonly string[]> =>
      Object.entries(await foundAt("edge-eu")).flatMap(([id, kind]) =>
        kind === "corrupted" && id !== "zone-last" ? [id] : [],
      );
    await expect.poll(async () => (await corrupted()).length, settled).toBeGreaterThan(0);
    await expect.poll(state, settled).toBe("equal");
    // More than an eighth of the base is hidden by then: it is made anew, without what cannot be read.
    await expect
      .poll(async () => {
        const next = await baseNow();
        return next?.key !== base?.key && next?.dead;
      }, settled)
      .toBe(0);
    await expect.poll(state, settled).toBe("equal");
    const names = new Set((await corrupted()).map((id) => id.replace(/-.*/, "")));
    expect([...names].filter((name) => !["base", "cold", "zone"].includes(name))).toEqual([]);
  },
);

it(
  "finds and heals each kind of fault in an archive's bucket, and tells of what the log cannot name (I25)",
  { timeout: 2 * WAIT_MS_MAX },
  async () => {
    const { bucket, objectOf, never } = archiveOf();
    const settled = { timeout: WAIT_MS_MAX, interval: 500 };
    for (let number = 1; number <= 6; number += 1) await put(`kept-${number}`, "eu", "warm");
    await put("erased", "eu", "warm");
    for (const id of ["kept-6", "erased"]) await expect.poll(() => objectOf(id), settled).not.toBeNull();
    const leftover = await objectOf("erased");
    const old = await objectOf("kept-2");
    const removed = await fetch(`${network.url}/v1/documents/erased`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${network.key}` },
    });
    expect(removed.status).toBeLessThan(300);
    await put("kept-2", "eu", "warm", "Ny udgave.");
    await expect.poll(() => objectOf("erased"), settled).toBeNull();
    await expect.poll(async () => (await objectOf("kept-2"))?.key, settled).not.toBe(old?.key);
    const state = async () => (await comparisonOf("archive-dk"))?.state;
    await expect.poll(state, settled).toBe("equal");

    const [first, second, third] = [
      await objectOf("kept-1"),
      await objectOf("kept-2"),
      await objectOf("kept-3"),
    ];
    const doomed = [first, second].map((object) => ({ key: object?.key ?? "", version: null }));
    await bucket.remove(doomed, never);
    await bucket.put(old?.key ?? "", old?.bytes ?? new Uint8Array(), { signal: never });
    const spoilt = Uint8Array.from(third?.bytes ?? []);
    spoilt[400] = (spoilt[400] ?? 0) ^ 1;
    await bucket.put(third?.key ?? "", spoilt, { signal: never });
    await bucket.put(leftover?.key ?? "", leftover?.bytes ?? new Uint8Array(), { signal: never });
    const wanted = { "kept-1": "missing", "kept-2": "stale", "kept-3": "corrupted", erased: "extra" };
    await expect.poll(() => foundAt("archive-dk"), settled).toEqual(wanted);
    await expect.poll(state, settled).toBe("equal");
    expect((await objectOf("kept-1"))?.key).toBe(first?.key);
    expect((await objectOf("kept-2"))?.key).toBe(second?.key);
    expect(Buffer.from((await objectOf("kept-3"))?.bytes ?? [])).not.toEqual(Buffer.from(spoilt));
    expect(await objectOf("erased")).toBeNull();

    const nameless = (first?.key ?? "")
      .replace(hashedId("kept-1"), hashedId("never-archived"))
      .replace(/documents\/../, `documents/${hashedId("never-archived").slice(0, 2)}`);
    await bucket.put(nameless, first?.bytes ?? new Uint8Array(), { signal: never });
    await expect.poll(async () => (await comparisonOf("archive-dk"))?.unhealed, settled).toBe(1);
    const told = await network.kattegat("residency", "repairs", "--site", "archive-dk");
    expect([told.code, told.stdout]).toEqual([
      1,
      expect.stringContaining("archive-dk: 1 faults are not healed"),
    ]);
    // Never deleted by what runs by itself: an archive is where documents come back from.
    expect((await Array.fromAsync(bucket.versions(nameless, never))).length).toBe(1);
    await bucket.remove([{ key: nameless, version: null }], never);
    await expect.poll(state, settled).toBe("equal");
  },
);

it("tells its digests to the operator and replication alone, and refuses what is no question with a reason", async () => {
  const urlOf = (name: string) => runningProcess(network.data, name).url;
  const urls = { "dk-cph": urlOf("dk-cph"), "eu-fra": urlOf("eu-fra"), "edge-eu": network.url };
  for (const [site, url] of Object.entries(urls)) {
    const ask = async (issuer: "edge" | "replication", verb: string, body: unknown): Promise<number> => {
      const authorization = await network.authorization(site, { key: issuer });
      const headers = { authorization, "content-type": "application/json" };
      const init = { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) };
      return (await fetch(`${url}/internal/digests/${verb}`, init)).status;
    };
    const whose = site === "dk-cph" ? { target: "eu-fra" } : { model: embeddingModel };
    const root = { ...whose, depth: 0, indexes: [0] };
    expect(await ask("edge", "ranges", root), site).toBe(403);
    expect(await ask("replication", "ranges", root), site).toBe(200);
    for (const bad of [
      { ...root, indexes: [1] },
      { ...root, depth: 3 },
      { ...whose },
      { ...root, x: 1 },
      "{",
    ])
      for (const verb of ["ranges", "lines"])
        expect(await ask("replication", verb, bad), `${site} ${verb} ${JSON.stringify(bad)}`).toBe(400);
    expect(await ask("replication", "copies", { ...whose, keys: ["x"], documents: [] }), site).toBe(400);
    const stranger = site === "dk-cph" ? { target: "nowhere" } : { model: "nowhere" };
    expect([400, 503]).toContain(await ask("replication", "ranges", { ...root, ...stranger }));
  }
});
