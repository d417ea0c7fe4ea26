import { readFile } from "node:fs/promises";
import { editionName } from "@kattegat/engine/embedding/edition.ts";
import { parseNetwork } from "@kattegat/config/load.ts";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startQdrant, temporaryFolder } from "./process.fixture.ts";
import type { Folder, Running } from "./process.fixture.ts";
import { NodePool } from "./qdrant/node-pool.ts";
import { createRegional, regionalSiteOf } from "./regional.ts";
import { NETWORK_FILE, batch, put, search, startSite } from "./site.fixture.ts";
import type { SiteProcess } from "./site.fixture.ts";

let folder: Folder;
let running: Running[];

beforeEach(async () => {
  folder = await temporaryFolder();
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((one) => one.kill("SIGKILL")));
  await folder.remove();
});

async function node(name: string): Promise<Running> {
  const started = await startQdrant(`${folder.path}/${name}`);
  running.push(started);
  return started;
}

async function siteAt(...urls: string[]): Promise<SiteProcess> {
  const started = await startSite(folder.path, urls);
  running.push(started);
  return started;
}

describe("the nodes of a cluster", () => {
  it("are asked nearest first, and the next one when the nearest is dead", async () => {
    const [near, far] = [await node("near"), await node("far")];
    // Two servers without replication between them: each is filled through a site of its own.
    for (const { url } of [near, far]) {
      const filling = await siteAt(url);
      await filling.post(
        "/internal/apply",
        batch([put({ id: url === near.url ? "near" : "far", sequence: 1 })], { watermark: 1 }),
      );
    }
    const site = await siteAt(near.url, far.url);
    const ids = async () => {
      const { body } = await site.post("/internal/search", search());
      return body.dense.map((candidate: { document_id: string }) => candidate.document_id);
    };
    expect(await ids()).toEqual(["near"]);
    await near.kill("SIGKILL");
    expect(await ids()).toEqual(["far"]);
    expect((await site.get("/readyz")).status).toBe(200);
    expect((await site.get("/metrics")).body).toContain('kattegat_regional_qdrant_healthy{node="0"} 0');
  });

  it("are left within half the deadline when the nearest hangs", async () => {
    const [near, far] = [await node("near"), await node("far")];
    const site = await siteAt(near.url, far.url);
    await (
      await siteAt(far.url)
    ).post("/internal/apply", batch([put({ id: "far", sequence: 1 })], { watermark: 1 }));
    await site.post("/internal/search", search());
    await near.kill("SIGSTOP");
    // An attempt at the first that took the whole deadline would leave nothing for the second.
    const { status, body } = await site.post("/internal/search", search({ deadline_ms: 4_000 }));
    expect(status, JSON.stringify(body)).toBe(200);
    expect(body.dense.map((candidate: { document_id: string }) => candidate.document_id)).toEqual(["far"]);
  });

  it("answer unavailable when none is there, and again when one is back", async () => {
    const only = await node("only");
    const site = await siteAt(only.url);
    await site.post("/internal/apply", batch([put({ id: "kept", sequence: 1 })], { watermark: 1 }));
    await only.kill("SIGKILL");
    expect(await site.post("/internal/search", search())).toMatchObject({
      status: 503,
      body: { code: "unavailable" },
    });
    expect(
      await site.post("/internal/apply", batch([put({ id: "lost", sequence: 2 })], { watermark: 2 })),
    ).toMatchObject({ status: 503 });
    expect(await site.get("/readyz")).toMatchObject({
      status: 503,
      body: { reason: expect.stringMatching(/Qdrant/) },
    });
    expect((await site.get("/healthz")).status).toBe(200);

    running.push(await startQdrant(`${folder.path}/only`, { PORT: String(only.port) }));
    await expect.poll(async () => (await site.get("/readyz")).status, { timeout: 15_000 }).toBe(200);
    const { body } = await site.post("/internal/search", search());
    expect(body.dense.map((candidate: { document_id: string }) => candidate.document_id)).toEqual(["kept"]);
  });

  it("time out when the only one hangs", async () => {
    const only = await node("only");
    const site = await siteAt(only.url);
    await site.post("/internal/search", search());
    await only.kill("SIGSTOP");
    // Longer than this the runner's limit for one test does not allow.
    const { status } = await site.post("/internal/search", search({ deadline_ms: 300 }));
    expect([503, 504]).toContain(status);
  });

  it("may be full of another dimension, which the site says instead of mixing", async () => {
    const only = await node("only");
    const body = JSON.stringify({
      vectors: { dense: { size: 8, distance: "Cosine" } },
      sparse_vectors: { lexical: {} },
    });
    const edition = editionName({ model: "hashed-384-v1", dimensions: 384 });
    await fetch(`${only.url}/collections/kattegat_passages_${edition}`, { method: "PUT", body });
    const site = await siteAt(only.url);
    expect(await site.get("/readyz")).toMatchObject({
      status: 503,
      body: { reason: expect.stringMatching(/384 dimensions.*found 8/) },
    });
  });
});

describe("lag", () => {
  it("makes a site not ready when it has been behind for longer than the network file allows (I7)", async () => {
    const { url } = await node("only");
    let nowMs = Date.parse("2026-01-01T00:00:00Z");
    const network = parseNetwork(await readFile(NETWORK_FILE, "utf8"));
    const now = () => nowMs;
    const pool = new NodePool({ urls: [url], apiKey: null, now, random: () => 0, report: () => {} });
    const regional = createRegional({
      network,
      site: regionalSiteOf(network, "eu-fra"),
      pool,
      now,
      sleep: async () => {},
      report: () => {},
    });
    const at = new Date(nowMs - 3_600_000).toISOString();
    await regional.apply({ ...batch([], { watermark: 1, head: 5 }), watermark_at: at });
    // The last change is an hour old, but a later one was heard of only now.
    expect(regional.watermark.lagMs()).toBe(0);
    expect(await regional.notReadyReason()).toBeNull();
    nowMs += network.limits.lag_ms_max + 1;
    expect(await regional.notReadyReason()).toMatch(/30001 ms behind the primary; at most 30000 ms/);
    await regional.apply({
      ...batch([], { watermark: 4, head: 5 }),
      watermark_at: new Date(nowMs - 40).toISOString(),
    });
    expect(regional.watermark.lagMs()).toBe(40);
    expect(await regional.notReadyReason()).toBeNull();
    await regional.apply({
      ...batch([], { watermark: 5, head: 5 }),
      watermark_at: new Date(nowMs - 40).toISOString(),
    });
    nowMs += 3_600_000;
    expect(regional.watermark.lagMs()).toBe(0);
  });
});

it("does not start with a wrong environment, and says what was expected", async () => {
  await expect(startSite(folder.path, ["not a url"])).rejects.toThrow(
    /QDRANT_URL.*expected http or https URLs/,
  );
});
