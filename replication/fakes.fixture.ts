/** The sites around replication on loopback sockets. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import {
  applyRequestSchema,
  confirmRequestSchema,
  type Change,
  type ConfirmRequest,
  type FeedHead,
} from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { problemOf } from "@kattegat/protocol/problem.ts";
import { compareFences, compareSequences, FENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";

export interface Loopback {
  readonly url: string;
  close(): Promise<void>;
}

export type Route = (
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
  body: Buffer,
) => Promise<void> | void;

/** Serves one handler; a thrown error becomes a problem, as every Kattegat site answers. */
export async function serveLoopback(route: Route): Promise<Loopback> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const url = new URL(request.url ?? "/", "http://loopback");
      void Promise.resolve()
        .then(() => route(request, response, url, Buffer.concat(parts)))
        .catch((error: unknown) => {
          const problem = problemOf(error, "test");
          if (response.headersSent) response.destroy();
          else
            response
              .writeHead(problem.status, { "content-type": "application/problem+json" })
              .end(JSON.stringify(problem));
        });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("expected a port");
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

export function put(
  sequence: number,
  options: {
    readonly id?: string;
    readonly passages?: number;
    readonly text?: string;
    readonly dimensions?: number;
  } = {},
): Change {
  const id = options.id ?? `d${sequence}`;
  const dense = new Float32Array(options.dimensions ?? 8);
  dense[sequence % dense.length] = 1;
  const passage = (ordinal: number) => ({
    ordinal,
    text: options.text ?? `text ${sequence}`,
    dense: encodeFloats(dense),
    sparse: {
      indices: encodeIntegers(new Uint32Array([7, 9])),
      values: encodeFloats(new Float32Array([1, 0.5])),
    },
  });
  return {
    kind: "put",
    ...base(sequence),
    document_id: id,
    document: {
      id,
      version: String(sequence),
      collection: "default",
      title: `title ${sequence}`,
      lang: "da",
      residency: "global",
      tier: "warm",
      published_at: null,
      metadata: {},
      digest: "0".repeat(64),
      passages: Array.from({ length: options.passages ?? 1 }, (_, index) => passage(index + 1)),
    },
  };
}

export function withdraw(sequence: number, id: string): Change {
  return { kind: "withdraw", ...base(sequence), document_id: id, reason: "deleted" };
}

export function skip(sequence: number): Change {
  return { kind: "skip", ...base(sequence) };
}

function base(sequence: number): {
  readonly epoch: number;
  readonly sequence: string;
  readonly committed_at: string;
} {
  return {
    epoch: 1,
    sequence: String(sequence),
    committed_at: new Date(1_800_000_000_000 + sequence).toISOString(),
  };
}

export interface FakePrimary extends Loopback {
  readonly log: Change[];
  readonly confirmed: ConfirmRequest[];
  epoch: number;
  /** Of the vectors in its log. */
  model: string;
  /** All of which it has vectors. */
  models: string[];
  statistics: { readonly version: string; readonly bytes: Uint8Array } | null;
  /** Objects of the trained embedding, by name. */
  readonly embedding: Map<string, Uint8Array>;
}

/** Answers the feed from a list in memory, with the long poll of the real one. */
export async function servePrimary(): Promise<FakePrimary> {
  const log: Change[] = [];
  const confirmed: ConfirmRequest[] = [];
  const embedding = new Map<string, Uint8Array>();
  const state: Pick<FakePrimary, "epoch" | "model" | "models" | "statistics"> = {
    epoch: 1,
    model: "hashed-384-v1",
    models: ["hashed-384-v1"],
    statistics: null,
  };
  const loopback = await serveLoopback(async (_request, response, url, body) => {
    if (url.pathname === "/internal/confirm") {
      confirmed.push(confirmRequestSchema.parse(JSON.parse(body.toString())));
      response.writeHead(204).end();
      return;
    }
    if (url.pathname === "/internal/statistics" && state.statistics !== null) {
      response
        .writeHead(200, { "x-kattegat-statistics-version": state.statistics.version })
        .end(state.statistics.bytes);
      return;
    }
    const object = embedding.get(url.pathname.replace("/internal/embeddings/", ""));
    if (object !== undefined) {
      response.writeHead(200).end(object);
      return;
    }
    if (url.pathname !== "/internal/changes") throw new KattegatError("not_found", url.pathname);
    const after = url.searchParams.get("after") ?? "0";
    const limit = Number(url.searchParams.get("limit"));
    const until = Date.now() + Number(url.searchParams.get("wait_ms"));
    const isNew = (change: Change): boolean => compareSequences(change.sequence, after) > 0;
    while (!log.some(isNew) && Date.now() < until && !response.destroyed)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const from = log.findIndex(isNew);
    const changes = from === -1 ? [] : log.slice(from, from + limit);
    const head: FeedHead = {
      kind: "head",
      epoch: state.epoch,
      sequence: log.at(-1)?.sequence ?? "0",
      at: new Date().toISOString(),
      model: state.model,
      models: state.models,
      statistics_version: state.statistics?.version ?? null,
    };
    response.writeHead(200, { "content-type": "application/x-ndjson" });
    response.end([...changes, head].map((line) => `${JSON.stringify(line)}\n`).join(""));
  });
  return Object.assign(state, loopback, { log, confirmed, embedding });
}

export interface FakeRegional extends Loopback {
  readonly documents: Map<string, string>;
  readonly batches: number[];
  /** Takes requests without ever answering, as a stopped process does. */
  silent: boolean;
  watermark: Fence;
  /** Called before a batch is stored; throws what the site would answer. */
  before: (changes: readonly Change[]) => void;
  /** Called after a batch is stored: a throw loses the answer, as a crash would. */
  after: () => void;
  refuses: (change: Change) => boolean;
  /** Named as refused beside those, whatever was sent. */
  refusesToo: string[];
}

/** Stores documents with their versions, and the watermark with them, as the real site promises to. */
export async function serveRegional(site: string): Promise<FakeRegional> {
  const documents = new Map<string, string>();
  const batches: number[] = [];
  const state: Pick<FakeRegional, "silent" | "watermark" | "before" | "after" | "refuses" | "refusesToo"> = {
    silent: false,
    watermark: FENCE_ZERO,
    before: () => undefined,
    after: () => undefined,
    refuses: () => false,
    refusesToo: [],
  };
  const loopback = await serveLoopback((_request, response, url, body) => {
    if (state.silent) return;
    if (url.pathname === "/internal/watermark") {
      response.end(JSON.stringify({ site, watermark: state.watermark, watermark_at: null }));
      return;
    }
    const request = applyRequestSchema.parse(JSON.parse(body.toString()));
    state.before(request.changes);
    batches.push(request.changes.length);
    const refused = state.refusesToo.map((sequence) => ({ sequence, code: "internal", detail: "no" }));
    for (const change of request.changes) {
      if (state.refuses(change))
        refused.push({ sequence: change.sequence, code: "residency_refused", detail: "not here" });
      else if (compareFences(change, state.watermark) > 0) store(documents, change);
    }
    if (compareFences(request.watermark, state.watermark) > 0) state.watermark = request.watermark;
    state.after();
    response.end(JSON.stringify({ watermark: state.watermark, refused }));
  });
  return Object.assign(state, loopback, { documents, batches });
}

function store(documents: Map<string, string>, change: Change): void {
  if (change.kind === "put") documents.set(change.document_id, change.document.version);
  if (change.kind === "withdraw") documents.delete(change.document_id);
}
