import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeFloats } from "@kattegat/protocol/base64.ts";
import type { Change } from "@kattegat/protocol/changes.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startQdrant, temporaryFolder, type Folder, type Running } from "./process.fixture.ts";
import { DIMENSIONS, MODEL, NETWORK_FILE, batch, put, search, startSite, withdraw } from "./site.fixture.ts";
import type { SiteAnswer, SiteProcess } from "./site.fixture.ts";

/** As many dimensions, so that nothing but its name tells it apart. */
const NEXT = "learned-384-0123456789abcdef";

let folder: Folder;
let qdrant: Running;
let runs = 0;
const sites: SiteProcess[] = [];
beforeAll(async () => {
  folder = await temporaryFolder();
});
beforeEach(async () => {
  runs += 1;
  await qdrant?.kill("SIGTERM");
  qdrant = await startQdrant(join(folder.path, `qdrant-${runs}`));
});
afterAll(async () => {
  for (const site of sites) await site.kill("SIGTERM");
  await qdrant.kill("SIGTERM");
  await folder.remove();
});

async function start(networkFile = NETWORK_FILE): Promise<SiteProcess> {
  const site = await startSite(folder.path, [qdrant.url], 1, networkFile);
  sites.push(site);
  return site;
}

async function networkFile(embedding: string): Promise<string> {
  const path = join(folder.path, `network-${Math.random()}.yaml`);
  const text = await readFile(NETWORK_FILE, "utf8");
  await writeFile(path, text.replace(/^embedding: .*$/m, `embedding: ${embedding}`));
  return path;
}

const serving = `provider: hashed, model: ${MODEL}, dimensions: ${DIMENSIONS}`;
const next = `provider: learned, model: ${NEXT}, dimensions: ${DIMENSIONS}`;
const preparing = (): Promise<string> => networkFile(`{ ${serving}, next: { ${next} } }`);
const adopted = (): Promise<string> => networkFile(`{ ${next} }`);

/** A batch as the stream of the model to come brings it. */
function nextBatch(
  changes: readonly Change[],
  {
    watermark,
    wholeAt,
    head,
  }: { readonly watermark: number; readonly wholeAt: string | null; readonly head?: number },
): object {
  const request = batch(changes, { watermark, model: NEXT, ...(head === undefined ? {} : { head }) });
  return { ...request, head: { ...request.head, whole_at: wholeAt } };
}

/** A site's first search makes its collections, for which a busy machine takes its time. */
const ask = (overrides: Parameters<typeof search>[0] = {}): ReturnType<typeof search> =>
  search({ deadline_ms: 10_000, ...overrides });

const idsIn = ({ body }: SiteAnswer): unknown =>
  body.dense.map(({ document_id }: { document_id: string }) => document_id);

async function collections(): Promise<string[]> {
  const answer: { result: { collections: { name: string }[] } } = await (
    await fetch(`${qdrant.url}/collections`)
  ).json();
  return answer.result.collections.map(({ name }) => name).toSorted();
}

describe("a regional site", () => {
  it("takes no change of another model than its network file names (I18)", async () => {
    const site = await start();
    const refused = await site.post(
      "/internal/apply",
      batch([put({ id: "a", sequence: 1 })], { watermark: 1, model: NEXT }),
    );
    expect([refused.status, refused.body.code]).toEqual([503, "not_ready"]);
    expect((await site.get("/internal/watermark")).body.watermark.sequence).toBe("0");
    const taken = await site.post(
      "/internal/apply",
      batch([put({ id: "a", sequence: 1 })], { watermark: 1 }),
    );
    expect(taken.status).toBe(200);
  });

  it("never answers from vectors that another model made (I18)", async () => {
    const first = await start();
    await first.post("/internal/apply", batch([put({ id: "a", sequence: 1 })], { watermark: 1 }));
    await first.kill("SIGTERM");
    const site = await start(await adopted());
    expect((await site.get("/internal/watermark")).body.watermark.sequence).toBe("0");
    expect(idsIn(await site.post("/internal/search", ask({ model: NEXT })))).toEqual([]);
    const asked = await site.post("/internal/search", ask());
    expect(asked).toMatchObject({
      status: 200,
      body: { model: null, ready: [NEXT], dense: [], lexical: [] },
    });
  });

  it("keeps the copies of two models apart, each with its watermark, and answers for one of them (I18)", async () => {
    const site = await start(await preparing());
    const axis = (at: number) => put({ id: "a", sequence: 1, axis: at });
    await site.post("/internal/apply", batch([axis(0), put({ id: "b", sequence: 2 })], { watermark: 2 }));
    await site.post("/internal/apply", nextBatch([axis(9)], { watermark: 1, wholeAt: null, head: 2 }));
    const early = await site.post("/internal/search", ask({ model: NEXT }));
    expect(early.body).toMatchObject({ model: null, ready: [MODEL], dense: [] });
    await site.post(
      "/internal/apply",
      nextBatch([put({ id: "b", sequence: 2 })], { watermark: 2, wholeAt: "2" }),
    );
    const query = new Float32Array(DIMENSIONS);
    query[9] = 1;
    const askBy = (model: string) =>
      site.post("/internal/search", ask({ model, dense: encodeFloats(query) }));
    const [old, young] = [await askBy(MODEL), await askBy(NEXT)];
    expect([old.body.model, young.body.model]).toEqual([MODEL, NEXT]);
    expect(young.body.ready).toEqual([MODEL, NEXT]);
    expect(
      old.body.dense.find(({ document_id: id }: { document_id: string }) => id === "a").score,
    ).toBeLessThan(0.1);
    expect(young.body.dense[0]).toMatchObject({ document_id: "a" });
    expect(young.body.dense[0].score).toBeGreaterThan(0.9);
    await site.post("/internal/apply", nextBatch([withdraw("a", 3)], { watermark: 3, wholeAt: "2" }));
    const marks = await Promise.all(
      ["", `?model=${NEXT}`].map(
        async (part) => (await site.get(`/internal/watermark${part}`)).body.watermark.sequence,
      ),
    );
    expect(marks).toEqual(["2", "3"]);
    expect([idsIn(await askBy(MODEL)), idsIn(await askBy(NEXT))]).toEqual([["a", "b"], ["b"]]);
    expect(await collections()).toHaveLength(4);
  });

  it("is asked for a model to come only from the sequence on at which it is whole, also after a restart (I18)", async () => {
    const file = await preparing();
    const first = await start(file);
    await first.post("/internal/apply", batch([put({ id: "a", sequence: 1 })], { watermark: 1 }));
    await first.post(
      "/internal/apply",
      nextBatch([put({ id: "a", sequence: 1 })], { watermark: 1, wholeAt: "2", head: 2 }),
    );
    expect((await first.post("/internal/search", ask())).body.ready).toEqual([MODEL]);
    await first.post(
      "/internal/apply",
      nextBatch([put({ id: "b", sequence: 2 })], { watermark: 2, wholeAt: "2" }),
    );
    expect((await first.post("/internal/search", ask())).body.ready).toEqual([MODEL, NEXT]);
    await first.kill("SIGTERM");
    const again = await start(file);
    await again.get(`/internal/watermark?model=${NEXT}`);
    expect((await again.post("/internal/search", ask())).body.ready).toEqual([MODEL, NEXT]);
  });

  it("drops copies of models that nobody names, never those of its own network file", async () => {
    const first = await start(await preparing());
    await first.post("/internal/apply", batch([put({ id: "a", sequence: 1 })], { watermark: 1 }));
    await first.post(
      "/internal/apply",
      nextBatch([put({ id: "a", sequence: 1 })], { watermark: 1, wholeAt: "1" }),
    );
    const kept = await first.post("/internal/editions:retire", { models: ["another"] });
    expect([kept.status, kept.body]).toEqual([200, { retired: [] }]);
    await first.kill("SIGTERM");
    const site = await start(await adopted());
    expect((await site.post("/internal/editions:retire", { models: [MODEL, NEXT] })).body).toEqual({
      retired: [],
    });
    expect((await site.post("/internal/editions:retire", { models: [NEXT] })).body).toEqual({
      retired: [MODEL],
    });
    expect(await collections()).toHaveLength(2);
    expect(idsIn(await site.post("/internal/search", ask({ model: NEXT })))).toEqual(["a"]);
  });

  it("goes on with collections from before there were editions", async () => {
    const first = await start();
    await first.post("/internal/apply", batch([put({ id: "a", sequence: 1 })], { watermark: 1 }));
    const names = await collections();
    await first.kill("SIGTERM");
    for (const name of names) await copyCollection(name, name.replace(/_hashed.*$/, ""));
    const site = await start();
    expect(idsIn(await site.post("/internal/search", ask()))).toEqual(["a"]);
    expect(await collections()).toEqual(["kattegat_meta", "kattegat_passages"]);
  });
});

/** Gives a collection another name, as an earlier release had named it. */
async function copyCollection(from: string, to: string): Promise<void> {
  const send = async (path: string, method: string, body?: object) => {
    const answer = await fetch(`${qdrant.url}/collections/${path}`, {
      method,
      headers: { "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.status, path).toBe(200);
    return await answer.json();
  };
  const { vectors, sparse_vectors } = (await send(from, "GET")).result.config.params;
  await send(to, "PUT", {
    vectors: vectors ?? {},
    ...(sparse_vectors === undefined ? {} : { sparse_vectors }),
  });
  const { points } = (
    await send(`${from}/points/scroll`, "POST", { limit: 100, with_payload: true, with_vector: true })
  ).result;
  await send(`${to}/points?wait=true`, "PUT", { points });
  await send(from, "DELETE");
}
