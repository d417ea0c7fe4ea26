/** Whose fault an error of the Qdrant client is. */

/** The HTTP status that the error carries, or null when no answer came. */
export function statusOf(error: unknown): number | null {
  if (typeof error !== "object" || error === null || !("status" in error)) return null;
  return typeof error.status === "number" ? error.status : null;
}

/**
 * `caller`: the same request fails at every node. `node`: another one, or a later try, may do it.
 *
 * 408, 429 and 5xx are the node's; 501 is the embedded server's word for a request that it will never take.
 */
export function faultOf(error: unknown): "caller" | "node" {
  const status = statusOf(error);
  if (status === null || status === 408 || status === 429) return "node";
  return status < 500 || status === 501 ? "caller" : "node";
}
