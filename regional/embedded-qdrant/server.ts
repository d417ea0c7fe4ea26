/** The HTTP side of the embedded Qdrant server. */
import { createHash, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { notImplemented, QdrantError } from "./qdrant-error.ts";
import type { Engine } from "./request.ts";
import { QdrantRequest } from "./request.ts";
import { routeOf } from "./router.ts";

/** Qdrant's default `max_request_size_mb`. */
const BODY_BYTES_MAX = 32 * 1_024 * 1_024;
/** The release whose behaviour is followed: the client checks that its own version is near. */
const VERSION = { title: "qdrant - vector search engine", version: "1.19.0", commit: "0".repeat(40) };
const OPEN_PATHS: ReadonlySet<string> = new Set(["/", "/healthz", "/livez", "/readyz"]);

export interface ServerOptions {
  readonly engine: Engine;
  readonly apiKey: string | null;
  /** Allowed to read, and to do nothing else. */
  readonly readOnlyApiKey: string | null;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

export function createQdrantServer(options: ServerOptions): Server {
  return createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const started = options.now();
    answer(request, response, options).catch((error: unknown) => {
      const known = error instanceof QdrantError ? error : null;
      if (known === null) options.report(error);
      const message =
        known?.message ?? "Service internal error: the request failed, see the log of the embedded server";
      send(response, known?.status ?? 500, {
        status: { error: message },
        time: (options.now() - started) / 1_000,
      });
    });
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServerOptions,
): Promise<void> {
  const started = options.now();
  const method = request.method ?? "GET";
  const url = new URL(request.url ?? "/", "http://qdrant");
  const path =
    url.pathname.length > 1 && url.pathname.endsWith("/") ? url.pathname.slice(0, -1) : url.pathname;
  if (OPEN_PATHS.has(path) && method === "GET") return sendOpen(response, path);
  const refusal = refusalOf(request, { method, path, options });
  if (refusal !== null) {
    response.writeHead(refusal.status, { "content-type": "text/plain" });
    response.end(refusal.text);
    request.resume();
    return;
  }
  const body = await bodyOf(request);
  const route = routeOf(method, path);
  if (route === null) throw notImplemented(`${method} ${path}`);
  const result = await route.handler(
    new QdrantRequest(options.engine, { params: route.params, query: url.searchParams, body }),
  );
  send(response, 200, { result, status: "ok", time: (options.now() - started) / 1_000 });
}

function sendOpen(response: ServerResponse, path: string): void {
  if (path === "/") return send(response, 200, VERSION);
  response.writeHead(200, { "content-type": "text/plain" });
  response.end(path === "/readyz" ? "all shards are ready" : "healthz check passed");
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent) return;
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { "content-type": "application/json", "content-length": bytes.length });
  response.end(bytes);
}

/** Qdrant answers these two in plain text. */
function refusalOf(
  request: IncomingMessage,
  {
    method,
    path,
    options,
  }: { readonly method: string; readonly path: string; readonly options: ServerOptions },
): { readonly status: number; readonly text: string } | null {
  if (options.apiKey === null && options.readOnlyApiKey === null) return null;
  const header = request.headers["api-key"];
  const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  const given = typeof header === "string" ? header : bearer;
  if (given === undefined)
    return { status: 401, text: "Must provide an API key or an Authorization bearer token" };
  if (options.apiKey !== null && isSame(given, options.apiKey)) return null;
  if (options.readOnlyApiKey === null || !isSame(given, options.readOnlyApiKey))
    return { status: 401, text: "Invalid API key or JWT" };
  const reads =
    method === "GET" || /\/points(\/(scroll|count|query|query\/batch|query\/groups))?$/.test(path);
  return reads && method !== "PUT"
    ? null
    : { status: 403, text: "Forbidden: Global manage access is required" };
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const declared = Number(request.headers["content-length"] ?? 0);
  for await (const chunk of request) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (Math.max(bytes, declared) > BODY_BYTES_MAX) {
      throw new QdrantError(
        413,
        `JSON payload (${Math.max(bytes, declared)} bytes) is larger than allowed (limit: ${BODY_BYTES_MAX} bytes).`,
      );
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}
