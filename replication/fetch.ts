/** The HTTP client of this process. */
import { Agent, request } from "undici";
import type { Fetch } from "./site-client.ts";

/** A long poll, an apply, a confirm, a merge's read and write: what one site sees at once. */
const CONNECTIONS_PER_SITE_MAX = 8;

/** Servers close a connection that was silent for some seconds, an edge's for five: a request that is sent just then is lost. */
const IDLE_MS_MAX = 2_000;

/**
 * Sends without the streams of `fetch`, which cost as much again as the rest of a small request, and without timeouts of its own: each
 * request carries its deadline as a signal. Whoever asks reads the answer's body, or leaves its loop, which closes the connection.
 */
export function createFetch({ connections = CONNECTIONS_PER_SITE_MAX } = {}): Fetch {
  const dispatcher = new Agent({
    connections,
    keepAliveTimeout: IDLE_MS_MAX,
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
          const value = answer.headers[name];
          return typeof value === "string" ? value : (value?.[0] ?? null);
        },
      },
      body: answer.body,
      json: () => answer.body.json(),
      arrayBuffer: () => answer.body.arrayBuffer(),
    };
  };
}
