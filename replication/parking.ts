/** The changes that a target refused for good. */

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
  park(change: ParkedChange): void;
}

export function createParking(): Parking {
  let newest: ParkedChange[] = [];
  const sequences = new Set<string>();
  let count = 0;
  return {
    get count() {
      return count;
    },
    get newest() {
      return newest;
    },
    park(change) {
      // A batch that is repeated after a lost answer parks the same change again.
      if (sequences.has(change.sequence)) return;
      count += 1;
      newest = [change, ...newest].slice(0, PARKED_KEPT_MAX);
      sequences.clear();
      for (const { sequence } of newest) sequences.add(sequence);
    },
  };
}
