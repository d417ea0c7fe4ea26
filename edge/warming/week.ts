/** When a colo is asked most: a count for each hour of the week. */

export const HOUR_MS = 3_600_000;
export const HOURS_OF_WEEK = 168;
/** A habit that ended a month ago counts a sixteenth. */
const WEEK_WEIGHT = 0.5;
/** An hour is busy from so many times the mean of all hours on: an even stream has no busy hours, office hours are all busy. */
const BUSY_TIMES_MEAN = 1.5;
/** Fewer askings make no rhythm. */
const ASKINGS_MIN = 200;

export interface Week {
  /** Counts an asking at that time. */
  add(atMs: number): void;
  /** Whether a busy stretch begins in the hour after the one of `atMs`. */
  isBeforeBusy(atMs: number): boolean;
  /** The counts of all hours as they are at that time. */
  counts(atMs: number): readonly number[];
}

/** Returns the hour of the week in UTC, 0 to 167; rhythm is all that matters, so Monday needs no special place. */
export function hourOfWeek(atMs: number): number {
  return Math.floor(atMs / HOUR_MS) % HOURS_OF_WEEK;
}

/** @param saved - what another week's `counts` gave at `atMs`. */
export function createWeek(saved?: { readonly counts: readonly number[]; readonly atMs: number }): Week {
  const counts = new Float64Array(HOURS_OF_WEEK);
  /** The absolute hour up to which counts were faded. */
  let hour: number | null = null;
  if (saved !== undefined) {
    counts.set(saved.counts.slice(0, HOURS_OF_WEEK));
    hour = Math.floor(saved.atMs / HOUR_MS);
  }

  /** An hour's count of earlier weeks is halved when that hour begins anew. */
  function advance(to: number): void {
    const from = hour ?? to - 1;
    const steps = Math.min(to - from, HOURS_OF_WEEK * 8);
    for (let step = 1; step <= steps; step += 1) {
      const at = (to - steps + step) % HOURS_OF_WEEK;
      counts[at] = (counts[at] ?? 0) * WEEK_WEIGHT;
    }
    hour = Math.max(from, to);
  }

  function isBusy(at: number): boolean {
    const sum = counts.reduce((total, count) => total + count, 0);
    return sum >= ASKINGS_MIN && (counts[at] ?? 0) > (BUSY_TIMES_MEAN * sum) / HOURS_OF_WEEK;
  }

  return {
    add(atMs) {
      advance(Math.floor(atMs / HOUR_MS));
      const at = hourOfWeek(atMs);
      counts[at] = (counts[at] ?? 0) + 1;
    },
    counts(atMs) {
      advance(Math.floor(atMs / HOUR_MS));
      return [...counts];
    },
    isBeforeBusy(atMs) {
      const at = hourOfWeek(atMs);
      return !isBusy(at) && isBusy((at + 1) % HOURS_OF_WEEK);
    },
  };
}
