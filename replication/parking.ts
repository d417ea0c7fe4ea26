/** The changes that a target refused for good. */
import type { RefusedChange } from "@kattegat/protocol/changes.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";

/** Enough to see a pattern; the count goes on, and each was logged. */
const PARKED_KEPT_MAX = 200;

export interface ParkedChange {
  readonly epoch: number;
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
  const known = new Set<string>();
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
      for (const change of changes) if (untold.get(nameOf(change)) === change) untold.delete(nameOf(change));
    },
    park(change) {
      // Again too, where the primary was told: it forgets what a target that went back had refused.
      const { epoch, sequence, code } = change;
      untold.set(nameOf(change), { epoch, sequence, code });
      // A batch that is repeated after a lost answer parks the same change again.
      if (known.has(nameOf(change))) return;
      count += 1;
      newest = [change, ...newest].slice(0, PARKED_KEPT_MAX);
      known.clear();
      for (const parked of newest) known.add(nameOf(parked));
    },
  };
}

/** A reign that follows a lost one issues its sequences again. */
function nameOf({ epoch, sequence }: Fence): string {
  return `${epoch} ${sequence}`;
}
