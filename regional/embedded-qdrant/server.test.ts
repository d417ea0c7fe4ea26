import { QdrantClient } from "@qdrant/js-client-rest";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startQdrant, temporaryFolder } from "../process.fixture.ts";
import type { Folder, Running } from "../process.fixture.ts";

const KEY = "a key of the test";
const READ_KEY = "another key";
let folder: Folder;
let qdrant: Running;

beforeAll(async () => {
  folder = await temporaryFolder();
  qdrant = await startQdrant(folder.path, { QDRANT_API_KEY: KEY, QDRANT_READ_ONLY_API_KEY: READ_KEY });
  await ask("PUT", "/collections/c", {
    vectors: { dense: { size: 4, distance: "Cosine" } },
    sparse_vectors: { lexical: {} },
  });
  await ask("PUT", "/collections/c/points?wait=true", {
    points: [{ id: 1, vector: { dense: [1, 0, 0, 0] }, payload: { document_id: "a" } }],
  });
});
afterAll(async () => {
  await qdrant?.kill("SIGTERM");
  await folder?.remove();
});

async function ask(
  method: string,
  path: string,
  body?: unknown,
  headers: Record<string, string> = { "api-key": KEY },
): Promise<{ status: number; type: string; text: string }> {
  const response = await fetch(`${qdrant.url}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return {
    status: response.status,
    type: response.headers.get("content-type") ?? "",
    text: await response.text(),
  };
}

describe("keys", () => {
  it("are refused in plain text, as Qdrant does", async () => {
    const wrong: readonly Record<string, string>[] = [
      {},
      { "api-key": "wrong" },
      { authorization: "Bearer wrong" },
    ];
    for (const headers of wrong) {
      expect(await ask("GET", "/collections", undefined, headers)).toMatchObject({
        status: 401,
        type: "text/plain",
      });
    }
  });

  it("are taken from either header", async () => {
    expect((await ask("GET", "/collections", undefined, { authorization: `Bearer ${KEY}` })).status).toBe(
      200,
    );
  });

  it("are not needed for health", async () => {
    for (const path of ["/", "/healthz", "/livez", "/readyz"])
      expect((await ask("GET", path, undefined, {})).status).toBe(200);
  });

  it("for reading allow reading alone", async () => {
    const headers = { "api-key": READ_KEY };
    expect(
      (await ask("POST", "/collections/c/points/query", { query: [1, 0, 0, 0], using: "dense" }, headers))
        .status,
    ).toBe(200);
    expect((await ask("POST", "/collections/c/points", { ids: [1] }, headers)).status).toBe(200);
    for (const [method, path, body] of [
      ["PUT", "/collections/c/points", { points: [] }],
      ["POST", "/collections/c/points/delete", { points: [1] }],
      ["POST", "/collections/c/points/batch", { operations: [] }],
      ["DELETE", "/collections/c", undefined],
    ] as const) {
      expect(await ask(method, path, body, headers), path).toMatchObject({ status: 403, type: "text/plain" });
    }
  });
});

describe("what is not implemented", () => {
  it.each([
    ["POST", "/collections/c/points/search", { vector: [1, 0, 0, 0] }],
    ["POST", "/collections/c/points/recommend", {}],
    ["PUT", "/collections/c/snapshots", {}],
    ["GET", "/cluster", undefined],
    ["POST", "/collections/c/facet", {}],
    ["PATCH", "/collections/c", { hnsw_config: { m: 8 } }],
    ["POST", "/collections/c/points/query", { prefetch: [], query: { fusion: "rrf" } }],
    ["POST", "/collections/c/points/query", { query: { recommend: {} }, using: "dense" }],
    ["POST", "/collections/c/points/query", { query: { order_by: "x" }, using: "dense" }],
    [
      "POST",
      "/collections/c/points/query",
      { query: [1, 0, 0, 0], using: "dense", params: { quantization: {} } },
    ],
    ["POST", "/collections/c/points/query", { query: [1, 0, 0, 0], using: "dense", shard_key: "x" }],
    [
      "POST",
      "/collections/c/points/query/groups",
      { query: [1, 0, 0, 0], using: "dense", group_by: "x", with_lookup: "y" },
    ],
    ["POST", "/collections/c/points/scroll", { order_by: "x" }],
    ["POST", "/collections/c/points/scroll", { filter: { must: [{ key: "a", geo_radius: {} }] } }],
    ["POST", "/collections/c/points/scroll", { filter: { must: [{ has_vector: "dense" }] } }],
    ["PUT", "/collections/d", { vectors: { size: 4, distance: "Euclid" } }],
    [
      "PUT",
      "/collections/d",
      { vectors: { a: { size: 4, distance: "Dot" }, b: { size: 4, distance: "Dot" } } },
    ],
    ["PUT", "/collections/d", { vectors: { size: 4, distance: "Dot" }, hnsw_config: { m: 4 } }],
    ["PUT", "/collections/d", { sparse_vectors: { lexical: { modifier: "idf" } } }],
    ["PUT", "/collections/c/index", { field_name: "t", field_schema: "text" }],
    ["PUT", "/collections/c/points", { batch: {} }],
    ["POST", "/collections/c/points/batch", { operations: [{ delete_vectors: {} }] }],
    ["POST", "/collections/c/points", { ids: [2 ** 60] }],
  ])("answers 501 in Qdrant's envelope: %s %s %o", async (method, path, body) => {
    const answer = await ask(method, path, body);
    expect(answer).toMatchObject({ status: 501, type: "application/json" });
    expect(JSON.parse(answer.text)).toMatchObject({
      status: { error: expect.stringMatching(/^Not implemented by the embedded server: /) },
      time: expect.any(Number),
    });
  });
});

describe("limits", () => {
  it("refuse a body above 32 MiB and go on", async () => {
    const response = await fetch(`${qdrant.url}/collections/c/points`, {
      method: "PUT",
      headers: { "api-key": KEY },
      body: "x".repeat(33 * 1_024 * 1_024),
    }).catch(() => null);
    expect(response?.status ?? 413).toBe(413);
    expect((await ask("GET", "/collections")).status).toBe(200);
  });

  it("refuse a filter that is nested without end", async () => {
    const filter = `${'{"must":['.repeat(5_000)}${"]}".repeat(5_000)}`;
    const response = await fetch(`${qdrant.url}/collections/c/points/scroll`, {
      method: "POST",
      headers: { "api-key": KEY },
      body: `{"filter":${filter}}`,
    });
    expect(response.status).toBe(400);
  });

  it("refuse values that Qdrant's validator refuses", async () => {
    expect((await ask("POST", "/collections/c/points/scroll", { limit: 0 })).status).toBe(422);
    expect((await ask("PUT", "/collections/c/points?timeout=0", { points: [] })).status).toBe(422);
    expect(
      (
        await ask("POST", "/collections/c/points/query", {
          query: { indices: [1, 1], values: [1, 1] },
          using: "lexical",
        })
      ).status,
    ).toBe(422);
  });
});

describe("equal scores", () => {
  it("rank by document id, then ordinal, whatever the ids", async () => {
    const client = new QdrantClient({
      url: qdrant.url,
      checkCompatibility: false,
      headers: { "api-key": KEY },
    });
    await client.createCollection("ties", { vectors: { dense: { size: 4, distance: "Dot" } } });
    const points = [
      ["b", 1],
      ["a", 2],
      ["c", 1],
      ["a", 1],
    ].map(([document_id, ordinal], index) => ({
      id: 10 - index,
      vector: { dense: [1, 0, 0, 0] },
      payload: { document_id, ordinal },
    }));
    await client.upsert("ties", { wait: true, points });
    const found = await client.query("ties", { query: [1, 0, 0, 0], using: "dense", with_payload: true });
    expect(
      found.points.map(({ payload }) => `${String(payload?.["document_id"])}${String(payload?.["ordinal"])}`),
    ).toEqual(["a1", "a2", "b1", "c1"]);
  });
});
