/** Client of the public contract. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import {
  batchResultSchema,
  deleteResultSchema,
  documentSchema,
  receiptSchema,
  type BatchResult,
  type DeleteResult,
  type Document,
  type Receipt,
} from "@kattegat/protocol/documents.ts";
import { networkStatusSchema, type NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { errorOfProblem, problemSchema } from "@kattegat/protocol/problem.ts";
import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import type { z } from "zod";
import { splitLines } from "./lines.ts";

/** A search answers within ten seconds by contract; the rest is the way. */
const ANSWER_MS_MAX = 15_000;
/** The edge or the primary can be busy with a whole batch; longer silence means that the connection is lost. */
const BATCH_MS_MAX = 120_000;

/** Nobody answers at the address. */
export class NoConnectionError extends Error {
  override readonly name = "NoConnectionError";
}

export interface Client {
  readonly url: string;
  search(
    request: Readonly<Record<string, unknown>>,
    options?: { readonly country?: string },
  ): Promise<SearchResponse>;
  /** Yields the result of each line as it comes; ends early by a `NoConnectionError`. */
  batch(lines: readonly string[]): AsyncGenerator<BatchResult, void, undefined>;
  network(): Promise<NetworkStatus>;
  document(id: string): Promise<Document>;
  /** Resolves with where the receipt is; a `version_mismatch` when the document is not of the version that is given. */
  erase(id: string, options?: { readonly version?: string }): Promise<DeleteResult>;
  /** `path` is as `erase` gave it. */
  receipt(path: string): Promise<Receipt>;
}

export interface ClientOptions {
  readonly url: string;
  readonly key: string;
  readonly fetch?: typeof fetch;
}

/** Each method throws a `KattegatError` when the network refuses, a `NoConnectionError` when nobody answers. */
export function createClient({ url, key, fetch: send = fetch }: ClientOptions): Client {
  const call = async (path: string, init: RequestInit, timeoutMs: number): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${key}`);
    let response: Response;
    try {
      response = await send(`${url}${path}`, { ...init, headers, signal: AbortSignal.timeout(timeoutMs) });
    } catch (cause) {
      throw lost(url, cause);
    }
    if (!response.ok) throw await refusal(response, url);
    return response;
  };
  const json = async <T>(schema: z.ZodType<T>, response: Response): Promise<T> => {
    let value: unknown;
    try {
      value = await response.json();
    } catch (cause) {
      throw lost(url, cause);
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    throw new KattegatError("internal", `${url} answered in a form that this version does not know.`, {
      cause: parsed.error,
    });
  };
  return {
    url,
    async search(request, options = {}) {
      const headers = {
        "content-type": "application/json",
        ...(options.country === undefined ? {} : { "x-kattegat-caller-country": options.country }),
      };
      return json(
        searchResponseSchema,
        await call("/v1/search", { method: "POST", headers, body: JSON.stringify(request) }, ANSWER_MS_MAX),
      );
    },
    async *batch(lines) {
      const body = `${lines.join("\n")}\n`;
      const response = await call(
        "/v1/documents:batch",
        { method: "POST", headers: { "content-type": "application/x-ndjson" }, body },
        BATCH_MS_MAX,
      );
      if (response.body === null) return;
      try {
        for await (const line of splitLines(response.body)) yield batchResultSchema.parse(JSON.parse(line));
      } catch (cause) {
        throw lost(url, cause);
      }
    },
    async document(id) {
      return json(documentSchema, await call(`/v1/documents/${encodeURIComponent(id)}`, {}, ANSWER_MS_MAX));
    },
    async erase(id, { version } = {}) {
      const path = `/v1/documents/${encodeURIComponent(id)}`;
      const headers: Record<string, string> = version === undefined ? {} : { "if-match": `"${version}"` };
      return json(deleteResultSchema, await call(path, { method: "DELETE", headers }, ANSWER_MS_MAX));
    },
    async receipt(path) {
      return json(receiptSchema, await call(path, {}, ANSWER_MS_MAX));
    },
    async network() {
      return json(networkStatusSchema, await call("/v1/network", {}, ANSWER_MS_MAX));
    },
  };
}

function lost(url: string, cause: unknown): NoConnectionError {
  const reason =
    cause instanceof Error
      ? cause.cause instanceof Error
        ? cause.cause.message
        : cause.message
      : "no answer";
  return new NoConnectionError(
    `No answer from ${url} (${reason}). Is the network running? Start it with: npm start`,
    { cause },
  );
}

/** An edge answers with a problem document; a proxy between may not. */
async function refusal(response: Response, url: string): Promise<Error> {
  const text = await response.text().catch(() => "");
  try {
    const problem = problemSchema.safeParse(JSON.parse(text));
    if (problem.success) return errorOfProblem(problem.data);
  } catch {
    // Not JSON: told below.
  }
  if (response.status >= 500)
    return new NoConnectionError(`${url} answered ${response.status} without a problem document.`);
  return new KattegatError(
    "bad_request",
    `${url} answered ${response.status} ${response.statusText}; is it an edge of a Kattegat network?`,
  );
}
