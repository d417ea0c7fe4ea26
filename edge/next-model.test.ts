import { parseManifest } from "@kattegat/engine/cold/manifest.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { exactDot } from "@kattegat/engine/vector/dot.ts";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { MANIFEST_AGE_MS_MAX } from "./cold/manifest-reader.ts";
import { law, type Law } from "./testing/corpus.fixture.ts";
import { KEYS, startEdge, type EdgeHost } from "./testing/edge-host.fixture.ts";

const editionsSchema = z.object({ editions: z.array(z.object({ model: z.string() })) });
const SERVING = "hashed-384-v1";
const NEXT = { provider: "hashed", model: "hashed-64-v1", dimensions: 64 } as const;
const WHOLE = { model: NEXT.model, dimensions: NEXT.dimensions, whole_at: "7" } as const;
const QUERY = "frist for klage over afgørelsen";
const TEXTS = ["frist for klage over afgørelsen", "klage over en frist", "skat af fast ejendom"];

const embedders = {
  [SERVING]: createHashedEmbedder({ dimensions: 384 }),
  [NEXT.model]: createHashedEmbedder({ dimensions: NEXT.dimensions }),
};
const vectorOf = (model: keyof typeof embedders, text: string): Float32Array =>
  toCanonical(embedders[model].embedSync(text));

function lawsOf(model: keyof typeof embedders, prefix: string, rest: Parameters<typeof law>[2] = {}): Law[] {
  return TEXTS.map((text, at) => law(`${prefix}-${at}`, text, { dense: vectorOf(model, text), ...rest }));
}

let edge: EdgeHost;
beforeAll(async () => {
  edge = await startEdge((network) => ({ ...network, embedding: { ...network.embedding, next: NEXT } }));
});
afterAll(() => edge.close());
beforeEach(async () => {
  await edge.reset();
  await edge.publish("eu", []);
  await edge.publish("global", lawsOf(SERVING, "cold"));
  edge.sites["dk-cph"].laws = lawsOf(SERVING, "hot", { tier: "hot" });
  for (const site of regionals()) site.laws = lawsOf(SERVING, "warm", { tier: "warm" });
});

const regionals = () => [edge.sites["eu-fra"], edge.sites["eu-arn"]];

async function ask(body: object = {}): Promise<SearchResponse> {
  const answer = await edge.search({ query: QUERY, explain: true, timeout_ms: 5_000, ...body });
  expect(answer.status).toBe(200);
  const response = searchResponseSchema.parse(await answer.json());
  expectOneModel(response);
  return response;
}

/** A score tells the vectors that it was made of. */
function expectOneModel({ hits }: SearchResponse): void {
  const models = new Set(hits.map(({ explain }) => explain?.model));
  expect(models.size).toBeLessThanOrEqual(1);
  const [model] = models;
  if (model !== SERVING && model !== NEXT.model) return;
  for (const { document_id: id, dense_score: score } of hits) {
    if (score === null) continue;
    const text = TEXTS[Number(id.split("-").at(-1))] ?? "";
    expect(score).toBeCloseTo(exactDot(embedders[model].embedSync(QUERY), vectorOf(model, text)), 4);
  }
}

const modelOf = ({ hits }: SearchResponse): string | null | undefined => hits[0]?.explain?.model;
/** The models that each site was asked for since it was last looked at. */
const askedOf = (site: keyof EdgeHost["sites"]): string[] =>
  edge.sites[site].searches().map(({ model }) => model);

async function publishNext(change: object = {}): Promise<void> {
  await edge.publish("eu", [], { ...WHOLE, ...change });
  await edge.publish("global", lawsOf(NEXT.model, "cold"), { ...WHOLE, ...change });
}

/** Sites whose fixtures rank by whichever vectors a search brings. */
function giveSites(models: readonly string[]): void {
  for (const site of Object.values(edge.sites)) {
    site.models = [...models];
    site.lawsOf = (model) =>
      model === NEXT.model
        ? lawsOf(NEXT.model, site === edge.sites["dk-cph"] ? "hot" : "warm", {
            tier: site === edge.sites["dk-cph"] ? "hot" : "warm",
          })
        : null;
  }
}

async function untilModel(model: string): Promise<void> {
  await expect.poll(async () => modelOf(await ask()), { timeout: 10_000, interval: 300 }).toBe(model);
}

describe("a search while a model is being prepared", () => {
  it.each(["dk-cph", "eu-arn"] as const)(
    "asks every site for the model that serves until %s has the other whole too (I18)",
    async (lacking) => {
      await publishNext();
      giveSites([SERVING, NEXT.model]);
      edge.sites[lacking].models = [SERVING];
      for (let round = 0; round < 3; round += 1) expect(modelOf(await ask())).toBe(SERVING);
      expect(new Set(askedOf("dk-cph"))).toEqual(new Set([SERVING]));
      edge.sites[lacking].models = [SERVING, NEXT.model];
      await untilModel(NEXT.model);
      const answer = await ask();
      expect([answer.partial, new Set(answer.hits.map(({ tier }) => tier))]).toEqual([
        false,
        new Set(["hot", "warm", "cold"]),
      ]);
    },
  );

  it.each([
    ["without the sequence at which it is whole", { whole_at: undefined }],
    ["before that sequence", { whole_at: "11" }],
    ["without its term statistics", { statistics: null }],
  ])("does not ask for cold copies %s (I18)", async (_, change) => {
    giveSites([SERVING, NEXT.model]);
    await publishNext(change);
    for (let round = 0; round < 3; round += 1) {
      expect(modelOf(await ask())).toBe(SERVING);
      await new Promise((resolve) => setTimeout(resolve, 400));
    }
    await publishNext();
    await untilModel(NEXT.model);
  });

  it("goes back to the model that serves in the same search when a site has lost its copies (I7, I18)", async () => {
    giveSites([SERVING, NEXT.model]);
    await publishNext();
    await untilModel(NEXT.model);
    edge.sites["dk-cph"].models = [SERVING];
    edge.sites["dk-cph"].received.length = 0;
    const answer = await ask();
    expect([answer.partial, modelOf(answer)]).toEqual([false, SERVING]);
    expect(askedOf("dk-cph")).toEqual([NEXT.model, SERVING]);
  });

  it("goes back when the zone's copies are gone from its bucket (I18)", async () => {
    giveSites([SERVING, NEXT.model]);
    await publishNext();
    await untilModel(NEXT.model);
    await publishNext({ generation: 2, whole_at: "99" });
    await new Promise((resolve) => setTimeout(resolve, MANIFEST_AGE_MS_MAX));
    // The first that reads it has chosen by the manifest before.
    for (let round = 0; round < 3; round += 1) {
      const answer = await ask();
      expect([answer.partial, modelOf(answer)]).toEqual([false, SERVING]);
    }
  });

  it("by a vector of the caller's is one of the model that serves", async () => {
    giveSites([SERVING, NEXT.model]);
    await publishNext();
    await untilModel(NEXT.model);
    const vector = [...embedders[SERVING].embedSync(QUERY)];
    expect(modelOf(await ask({ vector }))).toBe(SERVING);
  });

  it("is told in the network's state, with what each zone's bucket has", async () => {
    giveSites([SERVING, NEXT.model]);
    await publishNext({ whole_at: "99" });
    const site = (id: string, tiers: string[]) => ({
      site: id,
      tiers,
      watermark: "7",
      lag_changes: 0,
      ready: true,
      reason: null,
    });
    const status = (next: object) => ({
      sequence: "10",
      epoch: 1,
      sites: [],
      tiers: [],
      classes: [],
      model: { id: SERVING, dimensions: 384 },
      next,
      policy: null,
      statistics_version: null,
    });
    const next = { id: NEXT.model, dimensions: 64, embedded: 9, passages: 9, whole_at: "7", serves: false };
    edge.sites["dk-cph"].other = ({ path }) =>
      path === "/internal/network"
        ? {
            status: 200,
            body: status({ ...next, sites: [site("edge-eu", ["cold"]), site("eu-fra", ["warm"])] }),
          }
        : { status: 200, body: {} };
    const read = async () => {
      const headers = { authorization: `Bearer ${KEYS.search}` };
      return networkStatusSchema.parse(await (await edge.fetch("eu", "/v1/network", { headers })).json())
        .next;
    };
    const before = await read();
    expect(before).toMatchObject({ id: NEXT.model, serves: false });
    expect(before?.sites[0]).toMatchObject({
      site: "edge-eu",
      ready: false,
      reason: "its copies are at sequence 10 of 99",
    });
    await publishNext();
    await untilModel(NEXT.model);
    expect(await read()).toMatchObject({
      serves: true,
      sites: [{ ready: true, reason: null }, { ready: true }],
    });
  });
});

describe("the copies of two models in one bucket", () => {
  it("have manifests of their own; one of a model that the network file names is not deleted (I16)", async () => {
    await publishNext();
    const headers = await edge.siteHeaders("global");
    const send = async (path: string, method = "GET", body?: string) =>
      await edge.fetch("global", path, {
        method,
        headers: { ...headers, "if-none-match": "*" },
        ...(body === undefined ? {} : { body }),
      });
    const manifest = (model: string, dimensions: number) =>
      `/internal/cold/manifest?model=${model}&dimensions=${dimensions}`;
    const models = async () =>
      editionsSchema
        .parse(await (await send("/internal/cold/editions")).json())
        .editions.map(({ model }) => model)
        .toSorted();
    expect(await models()).toEqual([SERVING, NEXT.model]);
    const held = parseManifest(await (await send(manifest(NEXT.model, 64))).text());
    expect(held.model).toBe(NEXT.model);
    expect((await send(manifest(NEXT.model, 64), "DELETE")).status).toBe(409);
    const object = `/internal/cold/objects/${held.segments[0]?.key}`;
    expect((await send(object, "DELETE")).status).toBe(409);
    const other = { ...held, model: "hashed-32-v1", dimensions: 32 };
    expect((await send(manifest("hashed-32-v1", 32), "PUT", JSON.stringify(other))).status).toBe(503);
    expect((await send(manifest(NEXT.model, 64), "PUT", JSON.stringify(other))).status).toBe(400);
    await edge.publish("global", [], { model: "hashed-32-v1", dimensions: 32 });
    expect(await models()).toHaveLength(3);
    expect((await send(manifest("hashed-32-v1", 32), "DELETE")).status).toBe(204);
    expect(await models()).toEqual([SERVING, NEXT.model]);
  });

  it("give a manifest from before there were several its name, and go on with it", async () => {
    await edge.reset();
    const before = await edge.publish("global", lawsOf(SERVING, "cold"));
    await edge.reset();
    await edge.publish("eu", []);
    const headers = await edge.siteHeaders("global");
    await edge.putObject("global", "manifest.json", JSON.stringify({ ...before, segments: [] }));
    const missing = await edge.fetch("global", `/internal/cold/manifest?model=${NEXT.model}&dimensions=64`, {
      headers,
    });
    expect(missing.status).toBe(404);
    const held = await edge.fetch("global", "/internal/cold/manifest", { headers });
    expect([held.status, parseManifest(await held.text()).model]).toEqual([200, SERVING]);
    const { tiers } = await ask({ tiers: ["cold"] });
    expect(tiers.find(({ site }) => site === "edge-global")?.status).toBe("ok");
  });
});
