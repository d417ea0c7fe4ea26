/** The bound on how often one key may ask this isolate. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { RecentMap } from "@kattegat/protocol/recent-map.ts";

/** More keys than one network has; past it the one idle longest is forgotten, which only makes it full again. */
const KEYS_MAX = 10_000;

export interface RateLimit {
  /** @throws {KattegatError} `too_many_requests` with the time to wait. */
  take(keyId: string): void;
}

/** A token bucket per key that holds one second's worth; `now` in milliseconds. */
export function createRateLimit(options: {
  readonly requestsPerSecondMax: number;
  readonly now: () => number;
}): RateLimit {
  const { requestsPerSecondMax, now } = options;
  const buckets = new RecentMap<string, { readonly tokens: number; readonly at: number }>(KEYS_MAX);
  return {
    take(keyId) {
      const at = now();
      const known = buckets.get(keyId);
      const refilled =
        known === undefined
          ? requestsPerSecondMax
          : known.tokens + ((at - known.at) / 1_000) * requestsPerSecondMax;
      const tokens = Math.min(requestsPerSecondMax, refilled);
      buckets.set(keyId, { tokens: tokens < 1 ? tokens : tokens - 1, at });
      if (tokens < 1) {
        throw new KattegatError(
          "too_many_requests",
          `Expected at most ${requestsPerSecondMax} requests a second with this key.`,
          {
            retryAfterSeconds: Math.max(1, Math.ceil((1 - tokens) / requestsPerSecondMax)),
          },
        );
      }
    },
  };
}
