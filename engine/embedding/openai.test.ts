import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { createOpenAiEmbedder, EmbeddingError, type OpenAiEmbedderOptions } from "./openai.ts";

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return `http://127.0.0.1:${address.port}/v1`;
}

async function bodyOf(request: IncomingMessage): Promise<{ model: string; input: string[] }> {
  let text = "";
  for await (const chunk of request) text += String(chunk);
  return JSON.parse(text);
}

const embedderAt = (url: string, options: Partial<OpenAiEmbedderOptions> = {}) =>
  createOpenAiEmbedder({ url, model: "m", dimensions: 2, fetch, timeoutMs: 5_000, ...options });

/** Answers every request with this status and body. */
const answering = (status: number, body: string): Promise<string> =>
  listen((_, response) => void response.writeHead(status).end(body));

/** Answers every request with the rows that `rowsOf` makes of it. */
function answering200(rowsOf: (request: IncomingMessage) => Promise<unknown>): Promise<string> {
  const answer: (...args: Parameters<RequestListener>) => Promise<void> = async (request, response) => {
    response.end(JSON.stringify({ data: await rowsOf(request) }));
  };
  return listen((request, response) => void answer(request, response));
}

async function errorOf(url: string, options: Partial<OpenAiEmbedderOptions> = {}): Promise<EmbeddingError> {
  const error: unknown = await embedderAt(url, options)
    .embed(["en hemmelig tekst"], "query")
    .catch((thrown: unknown) => thrown);
  if (!(error instanceof EmbeddingError)) throw new Error(`expected an EmbeddingError, got ${String(error)}`);
  expect(error.message).not.toContain("hemmelig");
  return error;
}

describe("the OpenAI-compatible embedder", () => {
  it("sends batches of 32 texts at most, keeps the order, makes unit vectors", async () => {
    const sizes: number[] = [];
    const seen = new Set<string>();
    const url = await answering200(async (request) => {
      const { model, input } = await bodyOf(request);
      sizes.push(input.length);
      seen.add(`${request.method} ${request.url} ${request.headers.authorization} ${model}`);
      return input
        .map((text, index) => ({ index, embedding: [3 * Number(text), 4 * Number(text)] }))
        .toReversed();
    });
    const signs = Array.from({ length: 70 }, (_, i) => (i % 3 === 0 ? -1 : 1));
    const vectors = await embedderAt(`${url}/`, { apiKey: "key" }).embed(
      signs.map((sign, i) => `${sign * (i + 1)}`),
      "passage",
    );
    expect(sizes).toEqual([32, 32, 6]);
    expect([...seen]).toEqual(["POST /v1/embeddings Bearer key m"]);
    for (const [i, sign] of signs.entries()) {
      expect(vectors[i]?.[0]).toBeCloseTo(0.6 * sign, 6);
      expect(vectors[i]?.[1]).toBeCloseTo(0.8 * sign, 6);
    }
  });

  it("cuts batches by their length too", async () => {
    const sizes: number[] = [];
    const url = await answering200(async (request) => {
      const { input } = await bodyOf(request);
      sizes.push(input.length);
      return input.map((_, index) => ({ index, embedding: [1, 0] }));
    });
    await embedderAt(url).embed(
      ["x".repeat(50_000), "x".repeat(20_000), "x".repeat(20_000), "x".repeat(100_000)],
      "passage",
    );
    expect(sizes).toEqual([1, 2, 1]);
  });

  it("asks nothing for no texts", async () => {
    await expect(embedderAt("http://127.0.0.1:1").embed([], "query")).resolves.toEqual([]);
  });

  it.each([
    [429, "rate_limited", true],
    [503, "failed", true],
    [401, "refused", false],
  ])("turns status %i into %s", async (status, reason, retryable) => {
    expect(await errorOf(await answering(status, "en hemmelig tekst"))).toMatchObject({
      reason,
      retryable,
      status,
    });
  });

  it.each([
    ["no JSON", "<html>", "malformed"],
    ["no data", "{}", "malformed"],
    ["too few rows", '{"data":[]}', "malformed"],
    ["a row without numbers", '{"data":[{"index":0}]}', "malformed"],
    ["a row of another text", '{"data":[{"index":1,"embedding":[1,0]}]}', "malformed"],
    ["another model's dimensions", '{"data":[{"index":0,"embedding":[1,0,0]}]}', "dimensions"],
    ["null for a number", '{"data":[{"index":0,"embedding":[1,null]}]}', "not_finite"],
    ["an overflow", '{"data":[{"index":0,"embedding":[1,1e999]}]}', "not_finite"],
    ["squares that overflow", '{"data":[{"index":0,"embedding":[1e200,1]}]}', "not_finite"],
    ["zeros", '{"data":[{"index":0,"embedding":[0,0]}]}', "zero"],
    ["an answer without end", `{"data":[${" ".repeat(100_000)}]}`, "malformed"],
  ])("refuses %s", async (_, body, reason) => {
    expect(await errorOf(await answering(200, body))).toMatchObject({ reason, retryable: false });
  });

  it("gives up after its timeout, while headers or body are missing", async () => {
    const silent = await listen(() => undefined);
    expect(await errorOf(silent, { timeoutMs: 60 })).toMatchObject({ reason: "timeout", retryable: true });
    const half = await listen((_, response) => void response.writeHead(200).write('{"data":'));
    expect(await errorOf(half, { timeoutMs: 60 })).toMatchObject({ reason: "timeout", retryable: true });
  });

  it("says unreachable when no one listens", async () => {
    expect(await errorOf("http://127.0.0.1:1/v1")).toMatchObject({ reason: "unreachable", retryable: true });
  });

  it("follows no redirect: a text goes to no host but the configured one", async () => {
    let asked = 0;
    const other = await answering200(() => {
      asked += 1;
      return Promise.resolve([{ index: 0, embedding: [1, 0] }]);
    });
    const url = await listen(
      (_, response) => void response.writeHead(307, { location: `${other}/embeddings` }).end(),
    );
    expect(await errorOf(url)).toMatchObject({ reason: "refused", status: 307 });
    expect(asked).toBe(0);
  });
});
