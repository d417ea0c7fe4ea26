/** The changes that a target refused for good. */

import { CONFIRM_REFUSED_MAX, type RefusedChange } from "@kattegat/protocol/changes.ts";

/** Enough to see a pattern; the count goes on, and each was logged. */
const PARKED_KEPT_MAX = 200;

export interface ParkedChange {
  readonly sequence: string;
  readonly code: string;
  readonly detail: string;
  readonly at: string;
}

/** Parked changes live in memory only: after a restart the primary's own log is the record. */
export interface Parking {
  readonly count: number;
  readonly newest: readonly ParkedChange[];
  /** What the primary has not been told yet, the oldest first. */
  readonly untold: readonly RefusedChange[];
  /** Notes that the primary knows of these. */
  told(changes: readonly RefusedChange[]): void;
  park(change: ParkedChange): void;
}

export function createParking(): Parking {
  let newest: ParkedChange[] = [];
  const sequences = new Set<string>();
  let count = 0;
  let untold: readonly RefusedChange[] = [];
  return {
    get count() {
      return count;
    },
    get newest() {
      return newest;
    },
    get untold() {
      return untold;
    },
    told(changes) {
      untold = untold.filter((change) => !changes.includes(change));
    },
    park(change) {
      // A batch that is repeated after a lost answer parks the same change again.
      if (sequences.has(change.sequence)) return;
      count += 1;
      untold = [...untold, { sequence: change.sequence, code: change.code }].slice(-CONFIRM_REFUSED_MAX);
      newest = [change, ...newest].slice(0, PARKED_KEPT_MAX);
      sequences.clear();
      for (const { sequence } of newest) sequences.add(sequence);
    },
  };
}
