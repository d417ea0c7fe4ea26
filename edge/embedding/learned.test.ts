import { createHash } from "node:crypto";
import { createResidentLearnedEmbedder } from "@kattegat/engine/embedding/learned/embedder.ts";
import { openHead, type Artefact } from "@kattegat/engine/embedding/learned/artefact.ts";
import { embeddingKeys } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { LEARN_MODULE, trainSmall } from "@kattegat/engine/embedding/learned/learned.fixture.ts";
import { decodeFloats } from "@kattegat/protocol/base64.ts";
import { formatDigest } from "@kattegat/protocol/content-digest.ts";
import { problemSchema } from "@kattegat/protocol/problem.ts";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { siteSearchRequestSchema } from "@kattegat/protocol/site-search.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { law, type Law } from "../testing/corpus.fixture.ts";
import { startEdge, type EdgeHost } from "../testing/edge-host.fixture.ts";

const DIMENSIONS = 32;
const SUBJECTS = ["frist for klage", "tilladelse til byggeri", "skat af ejendom", "værn om natur"];
const TEXTS = Array.from(
  { length: 240 },
  (_, number) => `${SUBJECTS[number % 4] ?? ""} i sag ord${number % 60} hos nævn${number % 17}`,
);
const QUERY = "klage i sag ord4 hos nævn3";

/** A head without room for words: every row is read by range. */
const options = { dimensions: DIMENSIONS, gramsMax: 16, headBytesMax: 4_000, classes: ["global"] };

let edge: EdgeHost;
let artefact: Artefact;
let other: Artefact;
let keys: { readonly head: string; readonly rows: string };
let laws: readonly Law[];
let vectorOf: (text: string) => Float32Array;
let colos = 0;
let colo = "";

beforeAll(async () => {
  artefact = await trainSmall(TEXTS, options);
  other = await trainSmall(TEXTS, { ...options, seed: 2 });
  const named = embeddingKeys(artefact.model);
  if (named === null) throw new Error("expected a trained embedding");
  keys = named;
  const embedder = createResidentLearnedEmbedder({ ...artefact, module: LEARN_MODULE });
  vectorOf = (text) => embedder.embedSync(text);
  laws = TEXTS.slice(0, 40).map((text, number) => law(`law-${number}`, text, { dense: vectorOf(text) }));
  edge = await startEdge((network) => ({
    ...network,
    embedding: { provider: "learned", model: artefact.model, dimensions: DIMENSIONS },
  }));
});
afterAll(() => edge.close());
beforeEach(async () => {
  await edge.reset();
  await edge.publish("eu", []);
  await edge.publish("global", laws);
  // A location of its own: nothing is cached there yet.
  colos += 1;
  colo = `AA${String.fromCodePoint(64 + colos)}`;
});

async function place({ head, rows }: Pick<Artefact, "head" | "rows">): Promise<void> {
  await edge.putObject("eu", keys.head, head);
  await edge.putObject("eu", keys.rows, rows);
}

async function send(body: object): Promise<Response> {
  const headers = { "x-kattegat-caller-colo": colo };
  return await edge.search({ query: QUERY, tiers: ["cold"], timeout_ms: 10_000, ...body }, { headers });
}

async function ask(body: object = {}): Promise<SearchResponse> {
  const response = await send(body);
  expect(response.status).toBe(200);
  return searchResponseSchema.parse(await response.json());
}

const reportOf = (answer: SearchResponse): SearchResponse["tiers"][number] | undefined =>
  answer.tiers.find(({ site }) => site === "edge-global");

describe("an edge whose embedding has not come yet", () => {
  it("refuses a search by the vector alone, naming the embedding", async () => {
    const response = await send({ mode: "dense" });
    expect(response.status).toBe(503);
    const problem = problemSchema.parse(await response.json());
    expect(problem.code).toBe("unavailable");
    expect(problem.detail).toContain(`The embedding ${artefact.model} has not come to this edge`);
  });

  it("ranks by words alone where the mode has words, and says so (I7)", async () => {
    const answer = await ask({ explain: true });
    expect(answer.partial).toBe(true);
    expect(reportOf(answer)?.status).toBe("ok");
    expect(reportOf(answer)?.reason).toContain("ranked by words alone");
    expect(answer.hits[0]).toMatchObject({ dense_score: null, explain: { model: null, dense_rank: null } });
    const lexical = await ask({ mode: "lexical" });
    expect(lexical.partial).toBe(false);
    expect(answer.hits.map(({ document_id }) => document_id)).toEqual(
      lexical.hits.map(({ document_id }) => document_id),
    );
  });

  it("takes another model's head under its name for none (I18)", async () => {
    await place(other);
    expect((await send({ mode: "dense" })).status).toBe(503);
  });

  it("takes a damaged head for none (I13)", async () => {
    const head = artefact.head.slice();
    head[head.byteLength - 9] = (head[head.byteLength - 9] ?? 0) ^ 1;
    await place({ ...artefact, head });
    expect((await send({ mode: "dense" })).status).toBe(503);
    await place(artefact);
    expect((await send({ mode: "dense" })).status).toBe(200);
  });
});

describe("an edge with a trained embedding", () => {
  it("gives a query the vector that the primary would give it, and names the model", async () => {
    await place(artefact);
    const answer = await ask({ explain: true, tiers: ["hot", "cold"], timeout_ms: 10_000 });
    expect(answer.partial).toBe(false);
    expect(answer.hits[0]?.explain?.model).toBe(artefact.model);
    const [asked] = edge.sites["dk-cph"].searches().map((body) => siteSearchRequestSchema.parse(body));
    expect(asked?.model).toBe(artefact.model);
    expect(decodeFloats(asked?.dense ?? "")).toEqual(vectorOf(QUERY));
  });

  it("reads the head once, then answers without it", async () => {
    await place(artefact);
    await ask();
    await edge.putObject("eu", keys.head, "gone");
    expect((await ask({ query: "skat af ejendom nævn5" })).partial).toBe(false);
  });

  it("answers without the words whose rows cannot be read, says so, keeps no such result (I7)", async () => {
    const rows = artefact.rows.slice();
    const { pages, page } = openHead(artefact.head);
    expect(pages).toBeGreaterThan(1);
    // Rare words stand on the last page.
    const damaged = page(pages - 1);
    rows.fill(0xee, damaged.offset, damaged.offset + damaged.length);
    await place({ ...artefact, rows });
    const query = `frist for klage ${TEXTS.map((text) => text.split(" ")[5]).join(" ")}`.slice(0, 600);
    for (const time of ["first", "second"]) {
      const answer = await ask({ query });
      expect(answer.partial, time).toBe(true);
      expect(reportOf(answer)?.reason).toMatch(/the query's vector lacks \d+ words/);
      expect(reportOf(answer)).toMatchObject({ status: "ok", cache: "none" });
      expect(answer.hits.length).toBeGreaterThan(0);
    }
    await place(artefact);
    expect((await ask({ query })).partial).toBe(false);
    expect(reportOf(await ask({ query }))?.cache).toBe("hit");
  });

  it("takes a vector without any of its words for none", async () => {
    await place({ ...artefact, rows: new Uint8Array(artefact.rows.byteLength) });
    expect((await send({ query: "klage", mode: "dense" })).status).toBe(503);
    expect(reportOf(await ask({ query: "klage" }))?.reason).toContain("ranked by words alone");
  });
});

describe("the way in for the embedding", () => {
  const digestOf = (bytes: Uint8Array): string => formatDigest(createHash("sha256").update(bytes).digest());
  async function put(bytes: Uint8Array, digest: string, key = keys.rows): Promise<Response> {
    return await edge.fetch("eu", `/internal/cold/objects/${key}`, {
      method: "PUT",
      headers: {
        ...(await edge.siteHeaders("eu")),
        "content-length": String(bytes.byteLength),
        "content-digest": digest,
      },
      body: bytes,
    });
  }
  const get = async (): Promise<Response> =>
    edge.fetch("eu", `/internal/cold/objects/${keys.rows}`, {
      headers: { ...(await edge.siteHeaders("eu")), range: "bytes=0-0" },
    });

  it("stores what has the digest that came with it, once, and nothing else under its name", async () => {
    const { rows } = artefact;
    expect((await put(rows, digestOf(rows.slice(1)))).status).toBe(503);
    expect((await get()).status).toBe(404);
    expect((await put(rows, "sha-256=:AAAA:")).status).toBe(400);
    expect((await put(rows, digestOf(rows))).status).toBe(204);
    expect((await put(rows, digestOf(rows))).status).toBe(204);
    expect((await get()).headers.get("repr-digest")).toBe(digestOf(rows));
    const wrong = rows.slice().fill(0);
    const refused = await put(wrong, digestOf(wrong));
    expect(problemSchema.parse(await refused.json()).code).toBe("divergence");
  });

  it("takes the head of its model, trained from classes that may rest here, and no other (I5)", async () => {
    const secret = await trainSmall(TEXTS, { ...options, classes: ["dk-only"] });
    const headKey = embeddingKeys(secret.model)?.head ?? "";
    const refused = await put(secret.head, digestOf(secret.head), headKey);
    expect(refused.status).toBe(403);
    expect(problemSchema.parse(await refused.json()).detail).toContain("trained from dk-only");
    expect((await put(secret.head, digestOf(secret.head), keys.head)).status).toBe(400);
    expect((await put(artefact.head, digestOf(artefact.head), keys.head)).status).toBe(204);
  });

  it("deletes none of its objects while the manifest names the model (I16)", async () => {
    await put(artefact.rows, digestOf(artefact.rows));
    const removed = await edge.fetch("eu", `/internal/cold/objects/${keys.rows}`, {
      method: "DELETE",
      headers: await edge.siteHeaders("eu"),
    });
    expect(problemSchema.parse(await removed.json()).code).toBe("conflict");
    expect((await get()).status).toBe(206);
  });
});
