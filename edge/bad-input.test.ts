import { ERROR_KINDS } from "@kattegat/protocol/errors.ts";
import { problemSchema, type Problem } from "@kattegat/protocol/problem.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KEYS, startEdge, type EdgeHost } from "./testing/edge-host.fixture.ts";

let edge: EdgeHost;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());

interface Bad {
  readonly method?: string;
  readonly key?: string | null;
  readonly type?: string | null;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

async function send(
  path: string,
  { method = "POST", key = KEYS.admin, type = "application/json", body, headers = {} }: Bad = {},
): Promise<{ problem: Problem; response: Response }> {
  const response = await edge.fetch("eu", path, {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(type === null || body === undefined ? {} : { "content-type": type }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
  expect(response.headers.get("content-type")).toContain("application/problem+json");
  const problem = problemSchema.parse(await response.json());
  expect(problem.status).toBe(response.status);
  expect(ERROR_KINDS[problem.code].status).toBe(response.status);
  expect(response.headers.get("x-request-id")).toBe(problem.request_id);
  return { problem, response };
}

const search = async (body: unknown): Promise<Problem> =>
  (await send("/v1/search", { body: typeof body === "string" ? body : JSON.stringify(body) })).problem;

describe("a search that is not valid", () => {
  it.each([
    ["malformed JSON", '{"query":', "bad_json"],
    ["no JSON object", "[]", "bad_request"],
    ["nothing", "", "bad_json"],
    ["NaN, which JSON lacks", '{"vector":[NaN]}', "bad_json"],
    ["neither query nor vector", "{}", "bad_request"],
    ["an empty query", '{"query":"  "}', "bad_request"],
    ["a query of another type", '{"query":7}', "bad_request"],
    ["a limit of 101", '{"query":"a","limit":101}', "bad_request"],
    ["a limit of 1.5", '{"query":"a","limit":1.5}', "bad_request"],
    ["a window beyond 1,000", '{"query":"a","offset":990,"limit":11}', "bad_request"],
    ["an unknown mode", '{"query":"a","mode":"magic"}', "bad_request"],
    ["an unknown tier", '{"query":"a","tiers":["tepid"]}', "bad_request"],
    ["no tier", '{"query":"a","tiers":[]}', "bad_request"],
    ["words without a query", '{"vector":[1],"mode":"lexical"}', "bad_request"],
    ["a sequence that is none", '{"query":"a","min_sequence":"-1"}', "bad_request"],
    ["a wait of a minute", '{"query":"a","timeout_ms":60000}', "bad_request"],
    ["a vector of three numbers", '{"vector":[1,2,3]}', "bad_vector"],
    ["a vector with an infinite number", `{"vector":[${"0,".repeat(383)}1e999]}`, "bad_vector"],
    ["a vector of zeros", `{"vector":[${"0,".repeat(383)}0]}`, "bad_vector"],
    ["a vector of texts", '{"vector":["1"]}', "bad_vector"],
    ["a vector of 5,000 numbers", JSON.stringify({ vector: new Array(5_000).fill(1) }), "bad_vector"],
    ["a filter with an unknown clause", '{"query":"a","filter":{"musst":[]}}', "bad_filter"],
    ["a filter that is a text", '{"query":"a","filter":"x"}', "bad_filter"],
    ["a filter 100 levels deep", JSON.stringify({ query: "a", filter: nested(100) }), "bad_filter"],
    [
      "a filter 20,000 levels deep",
      `{"query":"a","filter":${'{"must":'.repeat(20_000)}{}${"}".repeat(20_000)}}`,
      "bad_filter",
    ],
    [
      "a filter of 3,000 conditions",
      JSON.stringify({
        query: "a",
        filter: { must: Array.from({ length: 3_000 }, () => ({ key: "a", match: { value: 1 } })) },
      }),
      "bad_filter",
    ],
    [
      "a filter of 2,000 ids",
      JSON.stringify({ query: "a", filter: { must: [{ has_id: new Array(2_000).fill("x") }] } }),
      "bad_filter",
    ],
  ])("is refused: %s", async (_, body, code) => {
    const problem = await search(body);
    expect(problem.code).toBe(code);
  });

  it("is told each unknown field by name", async () => {
    const problem = await search({ query: "a", limmit: 5, "fil/ter": {} });
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(["/limmit", "/fil~1ter"]);
  });

  it("is refused for bytes that are no UTF-8, of five mebibytes, of a million terms", async () => {
    const bytes = new Uint8Array([
      ...new TextEncoder().encode('{"query":"'),
      0xff,
      0xfe,
      ...new TextEncoder().encode('"}'),
    ]);
    expect((await send("/v1/search", { body: bytes })).problem.code).toBe("bad_json");
    expect((await search({ query: "x".repeat(5 * 1_024 * 1_024) })).code).toBe("too_large");
    expect((await search({ query: "ord ".repeat(1_000_000) })).code).toBe("too_large");
    expect((await search({ query: "ord ".repeat(10_000) })).code).toBe("bad_request");
  });

  it("is refused for another media type, for none", async () => {
    expect((await send("/v1/search", { body: "{}", type: "text/plain" })).problem.code).toBe(
      "unsupported_media_type",
    );
    expect(
      (await send("/v1/search", { body: new TextEncoder().encode("{}"), type: null })).problem.code,
    ).toBe("unsupported_media_type");
  });

  it("does not quote the body in its detail (I17)", async () => {
    expect(JSON.stringify(await search('{"query":"hemmelig sag"'))).not.toContain("hemmelig");
  });

  it.each([
    ["?q=a&q=b", "bad_request"],
    ["?q=a&query=b", "bad_request"],
    ["?q=a&colour=red", "bad_request"],
    ["?q=a&__proto__=x", "bad_request"],
    ["?q=a&limit=ten", "bad_request"],
    ["?q=a&explain=maybe", "bad_request"],
    ["?q=a&tiers=cold,tepid", "bad_request"],
    ["?q=a&filter={", "bad_filter"],
    ["?q=a&vector=x", "bad_vector"],
    ["?q=%ff", "bad_request"],
    ["", "bad_request"],
  ])("is refused by URL: %s", async (query, code) => {
    expect((await send(`/v1/search${query}`, { method: "GET" })).problem.code).toBe(code);
  });
});

describe("a caller", () => {
  it("needs a key that is known", async () => {
    expect((await send("/v1/search", { key: null, body: "{}" })).problem.code).toBe("unauthenticated");
    expect((await send("/v1/search", { key: "unknown", body: "{}" })).problem.code).toBe("unauthenticated");
    expect((await send("/v1/search", { key: "x".repeat(5_000), body: "{}" })).problem.code).toBe(
      "unauthenticated",
    );
    expect(
      (await send("/v1/search", { key: null, body: "{}", headers: { authorization: "Basic abc" } })).problem
        .code,
    ).toBe("unauthenticated");
  });

  it("needs the scope of what it asks for; admin has all", async () => {
    expect(
      (await send("/v1/documents/a", { method: "PUT", key: KEYS.search, body: "{}" })).problem.code,
    ).toBe("forbidden");
    expect((await send("/v1/search", { key: KEYS.write, body: "{}" })).problem.code).toBe("forbidden");
    expect((await send("/metrics", { method: "GET", key: KEYS.search })).problem.code).toBe("forbidden");
    expect((await send("/v1/search", { key: KEYS.admin, body: "{}" })).problem.code).toBe("bad_request");
  });

  it("is told which methods a path has", async () => {
    for (const [path, method, allow] of [
      ["/v1/search", "DELETE", "HEAD, GET, POST"],
      ["/v1/documents/a", "POST", "HEAD, GET, PUT, DELETE"],
      ["/v1/documents:batch", "PUT", "POST"],
      ["/healthz", "POST", "HEAD, GET"],
    ] as const) {
      const { problem, response } = await send(path, { method });
      expect([problem.code, response.headers.get("allow")]).toEqual(["method_not_allowed", allow]);
    }
  });

  it("is told that a path is not there", async () => {
    for (const path of ["/", "/v2/search", "/v1/documents/a/b", "/v1/documents/", "/v1"]) {
      expect((await send(path, { method: "GET" })).problem.code).toBe("not_found");
    }
  });

  it("may not use an id with a slash, a space, a broken escape", async () => {
    for (const id of ["a%2Fb", "a%20b", "%E0%A4%A", "..%2F..", "x".repeat(257)]) {
      const { problem } = await send(`/v1/documents/${id}`, { method: "PUT", body: "{}" });
      expect(["bad_request", "not_found"]).toContain(problem.code);
    }
  });

  it("hears that a bad id stands in the path, not in the body", async () => {
    for (const path of ["/v1/documents/a%20b", "/v1/receipts/a%20b"]) {
      const { problem } = await send(path, { method: "GET" });
      expect(problem.detail).toMatch(/^The id in the path: expected /);
      expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(["/id"]);
    }
  });

  it("keeps its request id when it has the form of one", async () => {
    const { problem } = await send("/v1/search", { body: "{", headers: { "x-request-id": "abcdefgh-123" } });
    expect(problem.request_id).toBe("abcdefgh-123");
    const { problem: other } = await send("/v1/search", {
      body: "{",
      headers: { "x-request-id": "<script>" },
    });
    expect(other.request_id).toMatch(/^[0-9a-f]{32}$/);
  });
});

function nested(depth: number): unknown {
  let filter: unknown = {};
  for (let level = 0; level < depth; level += 1) filter = { must: [filter] };
  return filter;
}
