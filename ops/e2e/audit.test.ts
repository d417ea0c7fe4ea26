import { hashedId } from "@kattegat/engine/digests/hashed-id.ts";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { QdrantClient } from "@qdrant/js-client-rest";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { Keyring } from "@kattegat/primary-dk/sealing/keyring.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import { prefixOf } from "@kattegat/replication/archive/object-name.ts";
import { archiveBuckets, connectSites } from "../commands/connection.ts";
import { readNetwork } from "../configured-network.ts";
import type { AuditReport } from "../audit/report.ts";
import { qdrantName } from "../local/process-names.ts";
import { runningProcess } from "../local/running-process.ts";
import { readSettings } from "../settings.ts";
import { startTestNetwork, type TestNetwork } from "./network.fixture.ts";

const WAIT_MS_MAX = 60_000;
let network: TestNetwork;
beforeAll(async () => {
  // What is planted is to be found by the audit, not to be healed before it looks.
  const environment = { KATTEGAT_REPAIRS_PER_MINUTE: "0" };
  network = await startTestNetwork({ samples: "none", environment });
}, 160_000);
afterAll(() => network?.stop());

const loadNetwork = () => readNetwork(readSettings({})).network;
const CLASSES = ["dk-only", "eu", "global"] as const;
const TIERS = ["hot", "warm", "cold"] as const;

async function audit(
  ...args: readonly string[]
): Promise<{ readonly code: unknown; readonly report: AuditReport; readonly found: readonly string[] }> {
  const { code, stdout } = await network.kattegat("residency", "audit", "--json", ...args);
  const report: AuditReport = JSON.parse(stdout);
  const found = report.findings.map(({ kind, site, document_id }) => `${kind} ${site} ${document_id ?? ""}`);
  return { code, report, found: found.toSorted() };
}

async function put(id: string, residency: string, tier: string): Promise<void> {
  const passages = [1, 2, 3].map((number) => ({ text: `Stykke ${number} af ${id} om havn og fiskeri.` }));
  const answer = await fetch(`${network.url}/v1/documents/${id}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${network.key}`, "content-type": "application/json" },
    body: JSON.stringify({ title: `Sag ${id}`, passages, residency, tier }),
  });
  expect(answer.status).toBeLessThan(300);
}

/** The site's store itself, past everything that guards it. */
async function qdrantOf(site: string): Promise<{ readonly client: QdrantClient; readonly passages: string }> {
  const { url } = runningProcess(network.data, qdrantName(site));
  const client = new QdrantClient({ url, checkCompatibility: false });
  const { collections } = await client.getCollections();
  return {
    client,
    passages: collections.find(({ name }) => name.startsWith("kattegat_passages"))?.name ?? "",
  };
}

async function pointsOf(site: string, document: string) {
  const { client, passages } = await qdrantOf(site);
  const filter = { must: [{ key: "document_id", match: { value: document } }] };
  const { points } = await client.scroll(passages, { filter, limit: 100, with_payload: true });
  return { client, passages, points };
}

it("finds nothing where everything is in its place, and says what it cannot see (I23)", async () => {
  for (const residency of CLASSES)
    for (const tier of TIERS)
      for (const number of [1, 2]) await put(`${residency}-${tier}-${number}`, residency, tier);
  // At the primary alone: Qdrant vacuums nothing where there are so few points, so a warm copy would stay pending.
  await put("gone-1", "eu", "hot");
  await expect.poll(async () => (await audit()).report.pending, { timeout: WAIT_MS_MAX }).toBe(0);
  expect((await network.kattegat("erase", "gone-1", "--yes", "--wait", "60")).code).toBe(0);
  await expect.poll(async () => (await audit()).report.pending, { timeout: WAIT_MS_MAX }).toBe(0);
  const page = join(network.data, "audit.html");
  const { code, report, found } = await audit("--html", page);
  expect(found).toEqual([]);
  expect(code).toBe(0);
  expect(report.documents).toBe(18);
  const copies = Object.fromEntries(
    report.sites.map(({ site, classes }) => [
      site,
      Object.fromEntries(classes.filter((each) => each.copies > 0).map((each) => [each.class, each.copies])),
    ]),
  );
  expect(copies).toMatchObject({
    "dk-cph": { "dk-only": 6, eu: 6, global: 6 },
    "eu-fra": { eu: 2, global: 2 },
    "eu-arn": { eu: 2, global: 2 },
    "edge-eu": { eu: 2 },
    "edge-global": { global: 2 },
    "archive-dk": { "dk-only": 6, eu: 6, global: 6 },
  });
  // Each document, and the watermark.
  expect(report.sites.find(({ site }) => site === "archive-dk")?.objects).toMatchObject({
    count: 19,
    stray: [],
  });
  for (const { took_ms, unseen } of report.sites) expect(typeof took_ms === "number").toBe(unseen === null);
  expect(report.sites.find(({ site }) => site === "dk-aar")?.unseen).toContain("declared only");
  const text = readFileSync(page, "utf8");
  expect(text).toContain("What this audit cannot see");
  expect(text).not.toMatch(/<script|src=|href=|@import|url\(/);
});

it("finds every copy that was planted, spoiled or lost behind the network's back, heals all, and then finds nothing (I23)", async () => {
  const { client, passages, points } = await pointsOf("eu-fra", "eu-warm-1");
  const id = points[0]?.id;
  if (id === undefined) throw new Error("expected points of eu-warm-1");
  // A leak, under ids that nobody would compute, with a title that a page must not take for markup.
  const [vector] = (await client.retrieve(passages, { ids: [id], with_vector: true })).map((p) => p.vector);
  if (vector === undefined || vector === null) throw new Error("expected a vector");
  const planted = (document_id: string, residency: string, number: number) => ({
    id: `00000000-0000-4000-8000-00000000000${number}`,
    vector: z.record(z.string(), z.any()).parse(vector),
    payload: { document_id, ordinal: 1, version: "1", residency, title: "<img src=x>" },
  });
  await client.upsert(passages, {
    wait: true,
    points: [
      planted("dk-only-hot-1", "dk-only", 1),
      planted("never-was", "eu", 2),
      planted("gone-1", "eu", 3),
      planted("eu-warm-2", "eu", 4),
    ],
  });
  const lost = (await pointsOf("eu-arn", "eu-warm-1")).points.filter(
    ({ payload }) => payload?.["ordinal"] === 2,
  );
  const other = await qdrantOf("eu-arn");
  await other.client.delete(other.passages, { wait: true, points: lost.map((point) => point.id) });
  const whole = (await pointsOf("eu-arn", "global-warm-1")).points;
  await other.client.delete(other.passages, { wait: true, points: whole.map((point) => point.id) });
  const old = (await pointsOf("eu-arn", "eu-warm-2")).points;
  await other.client.setPayload(other.passages, {
    wait: true,
    payload: { version: "1" },
    points: old.map((point) => point.id),
  });
  const sites = await connectSites(readSettings({ KATTEGAT_DATA: network.data }), { url: network.url });
  await sites.site("edge-eu")?.request(
    "/internal/cold/objects/segments/stray.seg",
    {
      method: "PUT",
      headers: { "content-length": "5" },
      body: new TextEncoder().encode("stray"),
      timeoutMs: WAIT_MS_MAX,
      signal: new AbortController().signal,
    },
    (response) => response.arrayBuffer(),
  );

  const page = join(network.data, "found.html");
  const before = await audit("--html", page);
  expect(before.code).toBe(1);
  expect(before.found).toEqual([
    "leak eu-fra dk-only-hot-1",
    "missing eu-arn eu-warm-1",
    "missing eu-arn global-warm-1",
    "orphan eu-fra gone-1",
    "orphan eu-fra never-was",
    "stale eu-arn eu-warm-2",
    "stale eu-fra eu-warm-2",
  ]);
  const strays = before.report.sites.find(({ site }) => site === "edge-eu")?.objects?.stray;
  expect(strays).toEqual(["segments/stray.seg"]);
  expect(readFileSync(page, "utf8")).toContain("dk-only-hot-1");

  const healed = await audit("--repair");
  expect(healed.report.repair).toMatchObject({ documents: 6, objects: 1, impossible: 0, waitingFor: [] });
  expect(healed.found).toEqual([]);
  expect(healed.report.stray_objects).toBe(0);
  expect(healed.code).toBe(0);
  expect((await pointsOf("eu-fra", "dk-only-hot-1")).points).toEqual([]);
  expect((await pointsOf("eu-fra", "eu-warm-2")).points).toHaveLength(3);
  const entries = (await network.kattegat("ledger", "list", "--document", "dk-only-hot-1", "--json")).stdout;
  expect(entries).toContain('"repaired"');
  expect((await network.kattegat("ledger", "verify")).code).toBe(0);
  expect((await audit()).found).toEqual([]);
});

function archiveBucket(): Bucket {
  const site = loadNetwork().sites.find(({ kind }) => kind === "archive");
  const bucket = site && archiveBuckets(readSettings({ KATTEGAT_DATA: network.data }))(site);
  if (bucket === undefined || bucket === null) throw new Error("expected the bucket of the archive");
  return bucket;
}

it("finds what was planted, altered or lost in the archive's bucket by its list, and heals it (I23)", async () => {
  const signal = AbortSignal.timeout(WAIT_MS_MAX);
  const bucket = archiveBucket();
  const keyOf = async (id: string): Promise<string> => {
    const [version] = await Array.fromAsync(bucket.versions(prefixOf(hashedId(id)), signal));
    if (version === undefined) throw new Error(`expected an object of ${id}`);
    return version.key;
  };
  const put = (key: string): Promise<string> => bucket.put(key, Buffer.from("{}"), { signal });
  const lost = await keyOf("eu-hot-1");
  await bucket.remove([{ key: lost, version: null }], signal);
  const altered = await keyOf("dk-only-warm-1");
  await bucket.remove([{ key: altered, version: null }], signal);
  await put(altered.replace(/[0-9a-f]{64}$/, "0".repeat(64)));
  const old = await keyOf("global-cold-1");
  await put(old.replace(/[^/]+$/, `1.1.global.${"1".repeat(64)}`));
  const gone = hashedId("gone-1");
  await put(`${prefixOf(gone)}1.1.eu.${"2".repeat(64)}`);
  const never = hashedId("never-was-here");
  await put(`${prefixOf(never)}1.1.global.${"3".repeat(64)}`);
  await put("documents/junk");
  // As of a document that came after the audit had read the record.
  const since = `${prefixOf(hashedId("not-yet"))}1.999999999.eu.${"4".repeat(64)}`;
  await put(since);

  const before = await audit("--site", "archive-dk");
  expect(before.code).toBe(1);
  expect(before.found).toEqual([
    "divergent archive-dk dk-only-warm-1",
    "missing archive-dk eu-hot-1",
    "orphan archive-dk ",
    "orphan archive-dk gone-1",
    "stale archive-dk global-cold-1",
  ]);
  const objects = before.report.sites.find(({ site: id }) => id === "archive-dk")?.objects;
  expect(objects?.stray).toEqual(["documents/junk"]);

  const healed = await audit("--site", "archive-dk", "--repair");
  expect(healed.report.repair).toMatchObject({ documents: 4, objects: 2, impossible: 0, waitingFor: [] });
  expect(healed.found).toEqual([]);
  expect(healed.report.stray_objects).toBe(0);
  expect(healed.code).toBe(0);
  expect(await keyOf("not-yet")).toBe(since);
  await bucket.remove([{ key: since, version: null }], signal);
  expect(await keyOf("eu-hot-1")).toBe(lost);
  expect(await keyOf("dk-only-warm-1")).toBe(altered);
  expect((await audit()).found).toEqual([]);
});

it("finds an archive's object that was altered under its right name when it opens each, and heals it (I23)", async () => {
  const signal = AbortSignal.timeout(WAIT_MS_MAX);
  const bucket = archiveBucket();
  const bodyOf = async (id: string): Promise<{ readonly key: string; readonly text: string }> => {
    const [version] = await Array.fromAsync(bucket.versions(prefixOf(hashedId(id)), signal));
    const stored = version && (await bucket.get(version.key, signal));
    if (stored === undefined || stored === null) throw new Error(`expected an object of ${id}`);
    return { key: version?.key ?? "", text: Buffer.from(stored.bytes).toString("utf8") };
  };
  const put = (key: string, text: string): Promise<string> => bucket.put(key, Buffer.from(text), { signal });
  const [spoiled, other, emptied] = await Promise.all(["eu-hot-2", "eu-hot-1", "global-warm-2"].map(bodyOf));
  if (spoiled === undefined || other === undefined || emptied === undefined)
    throw new Error("expected three");
  // The end of the text's seal: it is JSON as before, of the same length, under the same name.
  await put(
    spoiled.key,
    spoiled.text.replace(/(?<="body":"[^"]+)[^"]{4}(?=")/, (end) => (end === "AAAA" ? "BBBB" : "AAAA")),
  );
  await put(emptied.key, other.text);

  expect((await audit("--site", "archive-dk")).found).toEqual([]);
  for (const args of [
    ["--keyring", "/nowhere"],
    ["--read-archive", "--keyring", "/nowhere"],
  ])
    expect((await network.kattegat("residency", "audit", ...args)).code).toBe(2);
  const before = await audit("--site", "archive-dk", "--read-archive");
  expect(before.found).toEqual(["divergent archive-dk eu-hot-2", "divergent archive-dk global-warm-2"]);
  expect(before.code).toBe(1);
  const objects = before.report.sites.find(({ site: id }) => id === "archive-dk")?.objects;
  expect(objects).toMatchObject({ opened: 18, count: 19, stray: [] });
  expect(before.report.cannot_see.join()).not.toContain("their names are read");

  const healed = await audit("--site", "archive-dk", "--read-archive", "--repair");
  expect(healed.report.repair).toMatchObject({ documents: 2, objects: 0, impossible: 0, waitingFor: [] });
  expect(healed.found).toEqual([]);
  expect(healed.code).toBe(0);
  const again = await bodyOf("eu-hot-2");
  expect(again.key).toBe(spoiled.key);
});

it("takes a keyring that opens nothing for another's, rather than every object for altered", async () => {
  const place = {
    folder: join(network.data, "other-keyring"),
    rootKeyFile: join(network.data, "other-root.key"),
  };
  writeFileSync(place.rootKeyFile, randomBytes(32).toString("base64url"));
  Keyring.create(place);
  const args = ["--keyring", place.folder, "--root-key", place.rootKeyFile];
  const { code, report, found } = await audit("--site", "archive-dk", "--read-archive", ...args);
  expect(code).toBe(1);
  expect(found).toEqual([]);
  expect(report.sites.find(({ site }) => site === "archive-dk")?.unseen).toContain(
    "name the primary's with --keyring",
  );
});

it("tells nobody but the operator what a site holds", async () => {
  for (const site of ["dk-cph", "eu-fra"]) {
    const headers = { authorization: await network.authorization(site, { key: "replication" }) };
    const { url } = runningProcess(network.data, site);
    expect((await fetch(`${url}/internal/holdings`, { headers })).status).toBe(403);
  }
  const headers = { authorization: await network.authorization("edge-eu", { key: "replication" }) };
  for (const [method, route] of [
    ["GET", ""],
    ["DELETE", "/object?key=x"],
  ] as const)
    expect((await fetch(`${network.url}/internal/holdings${route}`, { method, headers })).status).toBe(403);
});

it("tells the log, takes copies and confirmations from replication alone (I5, I21)", async () => {
  const asked = async (issuer: string, site: string, method: string, route: string): Promise<number> => {
    const authorization = await network.authorization(site, { key: "edge", issuer });
    const headers = { authorization, "content-type": "application/json" };
    const base = site === "edge-eu" ? network.url : runningProcess(network.data, site).url;
    const init = { method, headers, ...(method === "GET" ? {} : { body: "{}" }) };
    return (await fetch(`${base}/internal/${route}`, init)).status;
  };
  const routes = [
    ["dk-cph", "GET", "changes?target=eu-fra&after=0"],
    ["dk-cph", "POST", "confirm"],
    ["eu-fra", "POST", "apply"],
    ["eu-fra", "POST", "editions:retire"],
    ["edge-eu", "GET", "cold/manifest"],
    ["edge-eu", "PUT", "cold/manifest"],
    ["edge-eu", "DELETE", "cold/manifest"],
  ] as const;
  for (const [site, method, route] of routes) {
    expect(await asked("edge-eu", site, method, route), `${site} ${route}`).toBe(403);
    // Nor may an edge's key speak for replication.
    expect(await asked("replication", site, method, route), `${site} ${route}`).toBe(401);
  }
});
