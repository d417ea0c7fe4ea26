/** The HTTP client of this process. */
import { Agent, fetch } from "undici";
import type { Fetch } from "./site-client.ts";

/** A long poll, an apply, a confirm, a merge's read and write: what one site sees at once. */
const CONNECTIONS_PER_SITE_MAX = 8;

/** Returns undici's fetch on its own agent, without its timeouts: each request carries its deadline as a signal. */
export function createFetch(): Fetch {
  const dispatcher = new Agent({ connections: CONNECTIONS_PER_SITE_MAX, headersTimeout: 0, bodyTimeout: 0 });
  return (url, init) => fetch(url, { ...init, dispatcher });
}
