/** The HTTP client of this process. */
import { Agent, fetch } from "undici";
import type { Fetch } from "./site-client.ts";

/** A long poll, an apply, a confirm, a merge's read and write: what one site sees at once. */
const CONNECTIONS_PER_SITE_MAX = 8;

/** An edge's server closes a connection that was silent for five seconds: a request that is sent just then is lost. */
const IDLE_MS_MAX = 2_000;

/** Returns undici's fetch on its own agent, without its timeouts: each request carries its deadline as a signal. */
export function createFetch(): Fetch {
  const dispatcher = new Agent({
    connections: CONNECTIONS_PER_SITE_MAX,
    keepAliveTimeout: IDLE_MS_MAX,
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return (url, init) => fetch(url, { ...init, dispatcher });
}
