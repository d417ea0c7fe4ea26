/** The changes that a target refused for good. */
import type { RefusedChange } from "@kattegat/protocol/changes.ts";

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
  const untold = new Map<string, RefusedChange>();
  return {
    get count() {
      return count;
    },
    get newest() {
      return newest;
    },
    get untold() {
      return [...untold.values()];
    },
    told(changes) {
      for (const change of changes)
        if (untold.get(change.sequence) === change) untold.delete(change.sequence);
    },
    park(change) {
      // Again too, where the primary was told: it forgets what a target that went back had refused.
      untold.set(change.sequence, { sequence: change.sequence, code: change.code });
      // A batch that is repeated after a lost answer parks the same change again.
      if (sequences.has(change.sequence)) return;
      count += 1;
      newest = [change, ...newest].slice(0, PARKED_KEPT_MAX);
      sequences.clear();
      for (const { sequence } of newest) sequences.add(sequence);
    },
  };
}
