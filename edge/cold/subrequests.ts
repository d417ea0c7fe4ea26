/** The subrequests that one search may make for its cold tier. */
import { createConnections, type Connections } from "./connections.ts";

/**
 * The platform counts each operation on a bucket, each `match` and `put` of the Cache API, each call of a service binding against one quota
 * (https://developers.cloudflare.com/workers/platform/limits/, "Subrequests" with "Cache API limits"): 50 on the free plan,
 * of which ten are left for other sites.
 */
export const SUBREQUESTS_MAX = 40;

export interface Subrequests {
  readonly made: number;
  readonly left: number;
  /** Of the invocation that searches. */
  readonly connections: Connections;
  /** Takes one; false when all are taken, and the operation must not be made. */
  take(): boolean;
  /** How many one of the indexes that are searched may still plan with when it keeps so many for what comes after. */
  allowance(kept: number): number;
  /** Leaves work, such as filling a cache, for when the answer has all that it needs. */
  later(work: () => Promise<void>): void;
  /** Does that work, one after the other, as far as there are subrequests left for it. */
  finish(): Promise<void>;
}

export function createSubrequests({ indexes = 1 }: { readonly indexes?: number } = {}): Subrequests {
  const works: (() => Promise<void>)[] = [];
  let made = 0;
  return {
    connections: createConnections(),
    get made() {
      return made;
    },
    get left() {
      return SUBREQUESTS_MAX - made;
    },
    take() {
      if (made >= SUBREQUESTS_MAX) return false;
      made += 1;
      return true;
    },
    allowance: (kept) => Math.max(0, Math.floor((SUBREQUESTS_MAX - made) / Math.max(1, indexes)) - kept),
    later(work) {
      works.push(work);
    },
    async finish() {
      for (const work of works.splice(0)) await work();
    },
  };
}
