/** The HTTP client of this process. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { Agent, request, type Dispatcher } from "undici";
import { parseAnswer } from "./answer-json.ts";
import type { Fetch } from "./site-client.ts";

/** A long poll, an apply, a confirm, a merge's read and write: what one site sees at once. */
const CONNECTIONS_PER_SITE_MAX = 8;

/** Servers close a connection that was silent for some seconds, an edge's for five: a request that is sent just then is lost. */
const IDLE_MS_MAX = 2_000;

/** Twice an edge's largest object; what is longer comes as a stream, whose reader has a bound of its own. */
const WHOLE_BYTES_MAX = 256 * 1_024 * 1_024;

/** Refusals of a whole batch with their reasons are half a megabyte; an answer that goes on and on is a fault. */
const JSON_BYTES_MAX = 4 * 1_024 * 1_024;

/**
 * Sends without the streams of `fetch`, which cost as much again as the rest of a small request, and without timeouts of its own: each
 * request carries its deadline as a signal. Whoever asks reads the answer's body, or leaves its loop, which closes the connection.
 */
export function createFetch({
  connections = CONNECTIONS_PER_SITE_MAX,
  wholeBytesMax = WHOLE_BYTES_MAX,
} = {}): Fetch {
  const dispatcher = new Agent({
    connections,
    keepAliveTimeout: IDLE_MS_MAX,
    // Whatever longer time a server promises: what lies between may not know of it.
    keepAliveMaxTimeout: IDLE_MS_MAX,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return async (url, { method, headers, body, signal }) => {
    const init = { method, headers, signal, dispatcher, body: body ?? null };
    const answer = await request(url, init);
    return {
      ok: answer.statusCode >= 200 && answer.statusCode < 300,
      status: answer.statusCode,
      headers: {
        get(name) {
          const value = answer.headers[name.toLowerCase()];
          return typeof value === "string" ? value : (value?.[0] ?? null);
        },
      },
      body: answer.body,
      json: async () =>
        parseAnswer(await wholeOf(answer, { bytesMax: Math.min(JSON_BYTES_MAX, wholeBytesMax) })),
      arrayBuffer: () => wholeOf(answer, { bytesMax: wholeBytesMax }),
    };
  };
}

/** @throws {KattegatError} `internal` beyond the bound, which closes the connection; no code that would blame what was sent. */
async function wholeOf(
  { headers, body }: Dispatcher.ResponseData,
  { bytesMax }: { readonly bytesMax: number },
): Promise<ArrayBuffer> {
  const declared = Number(headers["content-length"] ?? Number.NaN);
  // Never more than was declared comes: no need to count.
  if (declared <= bytesMax) return await body.arrayBuffer();
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of piecesOf(body)) {
    bytes += part.byteLength;
    if (bytes > bytesMax || declared > bytesMax)
      throw new KattegatError("internal", `Expected an answer of at most ${bytesMax} bytes; more came.`);
    parts.push(part);
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole.buffer;
}

/** Typed: a stream's own pieces may be anything. */
function piecesOf(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return body;
}
