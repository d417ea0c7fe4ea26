import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseManifest, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { exactDot } from "@kattegat/engine/vector/dot.ts";
import { SEAL_BYTES } from "@kattegat/primary-dk/sealing/seal.ts";
import { openDatabase } from "@kattegat/primary-dk/postgres/database.ts";
import { embeddingsFolder, openResidentEmbedder } from "@kattegat/primary-dk/embedding/artefact-files.ts";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { createTokenSigner, type TokenSigner } from "@kattegat/protocol/token-signer.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { embeddedDatabaseUrl } from "../local/database-url.ts";
import { dataFolder } from "../local/folder.ts";
import { readRunningNetwork } from "../local/network-file.ts";
import { qdrantName } from "../local/process-names.ts";
import { ROOT } from "../settings.ts";
import { makeDataFolder, runCommand, startTestNetwork, type TestNetwork } from "./network.fixture.ts";

/** Four starts on a busy machine, and the minute for which objects outlive their manifest; this only ends a hang. */
const ALL_MS_MAX = 900_000;
const SERVING = "hashed-384-v1";
const SERVING_LINE = `provider: hashed, model: ${SERVING}, dimensions: 384`;
const SUBJECTS = ["Frist for klage", "Tilladelse til byggeri", "Skat af fast ejendom", "Værn om natur"];
const TIERS = ["hot", "warm", "cold"];
const QUERY = "klage til nævn5 over afgørelsen";

interface Law {
  readonly id: string;
  readonly text: string;
  readonly residency: string;
  readonly tier: string;
}

const LAWS: readonly Law[] = Array.from({ length: 400 }, (_, number) => ({
  id: `law-${number}`,
  text: `${SUBJECTS[number % 4] ?? ""}: ejeren kan indbringe afgørelsen for nævn${number % 13} i sag${number % 40}`,
  residency: number % 10 === 9 ? "dk-only" : "global",
  tier: TIERS[number % 3] ?? "hot",
}));
/** Those that no test writes again. */
const CHANGED = new Set(["law-0", "law-1", "law-2", "law-3", "law-4", "law-5"]);

const data = makeDataFolder();
const config = join(data, "network.yaml");
const folder = dataFolder(data);
let network: TestNetwork | null = null;
let learned = { model: "", dimensions: 0 };
const hashed = createHashedEmbedder({ dimensions: 384 });
const vectorOf: Record<string, (text: string) => Float32Array> = {
  [SERVING]: (text) => hashed.embedSync(text),
};

afterAll(async () => {
  await network?.stop();
  rmSync(data, { recursive: true, force: true });
}, ALL_MS_MAX);

function running(): TestNetwork {
  if (network === null) throw new Error("no network runs");
  return network;
}

async function restart(embedding: string): Promise<void> {
  const text = readFileSync(join(ROOT, "config", "network.yaml"), "utf8");
  writeFileSync(config, text.replace(/^embedding: .*$/m, `embedding: ${embedding}`));
  await network?.stop();
  network = await startTestNetwork({ samples: "none", data, environment: { KATTEGAT_CONFIG: config } });
}

async function write(laws: readonly Law[]): Promise<string> {
  const lines = laws.map((law) => JSON.stringify({ title: law.id, lang: "da", ...law }));
  const headers = { "content-type": "application/x-ndjson" };
  const answer = await running().post("/v1/documents:batch", lines.join("\n"), { headers });
  const results = (await answer.text())
    .trimEnd()
    .split("\n")
    .map((line) => z.object({ status: z.int(), sequence: z.string() }).parse(JSON.parse(line)));
  expect(results.every(({ status }) => status < 300)).toBe(true);
  return results.at(-1)?.sequence ?? "0";
}

async function remove(id: string): Promise<void> {
  const answer = await fetch(`${running().url}/v1/documents/${id}`, {
    method: "DELETE",
    headers: { authorization: `Bearer ${running().key}` },
  });
  expect(answer.status).toBe(202);
}

/** Every answer is by one model alone: its hits name it, their scores are those of its vectors. */
async function search(body: object = {}, url = running().url): Promise<SearchResponse & { model: string }> {
  const request = { query: QUERY, explain: true, limit: 100, timeout_ms: 10_000, ...body };
  const answer = await running().post("/v1/search", JSON.stringify(request), { url });
  expect(answer.status).toBe(200);
  const response = searchResponseSchema.parse(await answer.json());
  const models = new Set(response.hits.map(({ explain }) => explain?.model ?? ""));
  expect([...models]).toHaveLength(1);
  const [model = ""] = models;
  const embed = vectorOf[model];
  if (embed === undefined) throw new Error(`expected a known model, got ${model}`);
  const asked = embed(QUERY);
  for (const { document_id: id, dense_score: score } of response.hits) {
    const text = CHANGED.has(id) ? undefined : LAWS.find((law) => law.id === id)?.text;
    if (text !== undefined && score !== null)
      expect(score).toBeCloseTo(exactDot(asked, toCanonical(embed(text))), 4);
  }
  return { ...response, model };
}

/** Trains from the network that runs, into the folder where its primary looks. */
async function train(seed: number): Promise<typeof learned> {
  const options = ["--dimensions", "32", "--seed", String(seed), "--json"];
  const { code, stdout, stderr } = await runCommand(["ops/kattegat.ts", "embedding", "train", ...options], {
    KATTEGAT_DATA: data,
  });
  expect(code, stderr).toBe(0);
  const trained = z.object({ model: z.string(), dimensions: z.int() }).parse(JSON.parse(stdout));
  const embedder = await openResidentEmbedder(embeddingsFolder(folder.site("dk-cph")), trained.model);
  vectorOf[trained.model] = (text) => embedder.embedSync(text);
  return trained;
}

const lineOf = ({ model, dimensions }: typeof learned): string =>
  `provider: learned, model: ${model}, dimensions: ${dimensions}`;

const globalUrl = (): string => readRunningNetwork(folder.network)?.edges["global"] ?? "";

async function status(): Promise<{ readonly code: unknown; readonly answer: ReturnType<JSON["parse"]> }> {
  const { code, stdout } = await runCommand(["ops/kattegat.ts", "embedding", "status", "--json"], {
    KATTEGAT_DATA: data,
    KATTEGAT_CONFIG: config,
  });
  return { code, answer: JSON.parse(stdout) };
}

function signer(): TokenSigner {
  const privateJwk = JSON.parse(readFileSync(folder.signingKey("ops"), "utf8"));
  return createTokenSigner({ privateJwk, issuer: "ops", now: Date.now, epoch: () => 1 });
}

async function atSite(site: string, path: string, url: string): Promise<Response> {
  return await fetch(`${url}${path}`, { headers: { authorization: await signer().authorization(site) } });
}

const edges = (): (readonly [string, string])[] => [
  ["edge-eu", running().url],
  ["edge-global", globalUrl()],
];

async function manifestAt(
  site: string,
  url: string,
  model: string,
  dimensions: number,
): Promise<ColdManifest> {
  const path = `/internal/cold/manifest?model=${model}&dimensions=${dimensions}`;
  return parseManifest(await (await atSite(site, path, url)).text());
}

async function collectionsAt(site: string): Promise<string[]> {
  const at = readRunningNetwork(folder.network)?.processes.find(({ name }) => name === qdrantName(site));
  const answer = await (await fetch(`${at?.url}/collections`)).json();
  const shape = z.object({ result: z.object({ collections: z.array(z.object({ name: z.string() })) }) });
  return shape.parse(answer).result.collections.map(({ name }) => name);
}

describe("a network that changes its model", () => {
  beforeAll(async () => {
    network = await startTestNetwork({ samples: "none", data });
    await write(LAWS);
    learned = await train(1);
  }, ALL_MS_MAX);

  it(
    "answers every search in full by one of the two, and by the new one as soon as every site has it (I7, I18)",
    async () => {
      const before = await search();
      expect([before.model, before.partial]).toEqual([SERVING, false]);
      await restart(`{ ${SERVING_LINE}, next: { ${lineOf(learned)} } }`);
      const seen: string[] = [];
      const partial: unknown[] = [];
      const isStopped = { value: false };
      const searches = edges().map(async ([site, url]) => {
        while (!isStopped.value) {
          const { model, partial: isPartial, tiers } = await search({}, url);
          seen.push(`${site} ${model}`);
          if (isPartial) partial.push({ site, model, tiers });
          await sleep(50);
        }
      });
      const [changed, moved, added] = [LAWS[0], LAWS[1], LAWS[5]];
      if (changed === undefined || moved === undefined || added === undefined)
        throw new Error("expected laws");
      await write([{ ...changed, text: "Frist for klage til nævn5: en anden tekst" }]);
      await write([{ ...moved, tier: "cold" }]);
      await remove("law-2");
      const sequence = await write([
        { ...added, id: "law-new", text: "Frist for klage til nævn5: en ny lov" },
      ]);
      const both = edges().map(([site]) => `${site} ${learned.model}`);
      await expect
        .poll(() => both.every((entry) => seen.includes(entry)), { timeout: 240_000, interval: 500 })
        .toBe(true);
      await sleep(2_000);
      isStopped.value = true;
      await Promise.all(searches);
      expect(partial).toEqual([]);
      expect(seen).toContain(`edge-eu ${SERVING}`);
      // A machine that is too busy to answer in full goes back to the old one for ten seconds.
      await expect
        .poll(async () => (await search({ min_sequence: sequence })).model, {
          timeout: 60_000,
          interval: 500,
        })
        .toBe(learned.model);
      const after = await search({ min_sequence: sequence });
      expect([after.model, after.partial]).toEqual([learned.model, false]);
      expect(new Set(after.hits.map(({ tier }) => tier))).toEqual(new Set(TIERS));
      const hits = new Map(after.hits.map((hit) => [hit.document_id, hit]));
      expect(hits.has("law-2")).toBe(false);
      expect(hits.get("law-0")?.snippet).toContain("en anden tekst");
      expect(hits.get("law-new")?.snippet).toContain("en ny lov");
      const { code, answer } = await status();
      expect([code, answer]).toMatchObject([
        0,
        { serving: SERVING, next: learned.model, searches_use: learned.model, passages: 400, embedded: 400 },
      ]);
      expect(answer.editions).toHaveLength(10);
      for (const site of ["eu-fra", "eu-arn"]) expect(await collectionsAt(site)).toHaveLength(4);
    },
    ALL_MS_MAX,
  );

  it(
    "ends the change by naming the new one: nothing of the old one is left in any store (I16, I18)",
    async () => {
      const old = await Promise.all(edges().map(([site, url]) => manifestAt(site, url, SERVING, 384)));
      await restart(`{ ${lineOf(learned)} }`);
      const { model, partial, hits } = await search();
      expect([model, partial, new Set(hits.map(({ tier }) => tier))]).toEqual([
        learned.model,
        false,
        new Set(TIERS),
      ]);
      for (const site of ["eu-fra", "eu-arn"])
        await expect
          .poll(() => collectionsAt(site), { timeout: 30_000, interval: 500 })
          .toEqual([expect.stringContaining(learned.model), expect.stringContaining(learned.model)]);
      const database = await openDatabase({ url: embeddedDatabaseUrl(folder, portOf("postgres")) });
      const { sql } = database;
      const rows = await sql`select distinct octet_length(dense) as bytes, dense_next from passages`;
      expect([...rows]).toEqual([{ bytes: SEAL_BYTES + learned.dimensions * 4, dense_next: null }]);
      expect(await sql`select from embedding_next`).toHaveLength(0);
      await database.close();
      for (const [at, [site, url]] of edges().entries()) {
        const editions = async (): Promise<unknown> =>
          await (await atSite(site, "/internal/cold/editions", url)).json();
        await expect
          .poll(editions, { timeout: 30_000, interval: 500 })
          .toEqual({ editions: [{ model: learned.model, dimensions: learned.dimensions }] });
        const [segment] = old[at]?.segments ?? [];
        if (segment === undefined) continue;
        const object = async (): Promise<number> =>
          (await atSite(site, `/internal/cold/objects/${segment.key}`, url)).status;
        await expect.poll(object, { timeout: 150_000, interval: 1_000 }).toBe(404);
      }
      expect((await search({}, globalUrl())).partial).toBe(false);
      expect(await status()).toMatchObject({ code: 0, answer: { serving: learned.model, next: null } });
    },
    ALL_MS_MAX,
  );

  it(
    "goes from one trained model to another, and drops what was prepared when next is taken out again (I18)",
    async () => {
      const other = await train(2);
      await restart(`{ ${lineOf(learned)}, next: { ${lineOf(other)} } }`);
      for (const [, url] of edges())
        await expect
          .poll(async () => (await search({}, url)).model, { timeout: 120_000, interval: 500 })
          .toBe(other.model);
      expect((await search()).partial).toBe(false);
      await restart(`{ ${lineOf(learned)} }`);
      const { model, partial } = await search();
      expect([model, partial]).toEqual([learned.model, false]);
      for (const site of ["eu-fra", "eu-arn"])
        await expect.poll(() => collectionsAt(site), { timeout: 30_000, interval: 500 }).toHaveLength(2);
      for (const [site, url] of edges())
        await expect
          .poll(async () => await (await atSite(site, "/internal/cold/editions", url)).json(), {
            timeout: 30_000,
            interval: 500,
          })
          .toEqual({ editions: [learned] });
      expect(await status()).toMatchObject({ code: 0, answer: { serving: learned.model, next: null } });
    },
    ALL_MS_MAX,
  );
});

function portOf(name: string): number {
  const found = readRunningNetwork(folder.network)?.processes.find((process) => process.name === name);
  return Number(new URL(found?.url ?? "").port);
}
