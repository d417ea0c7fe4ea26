/** How much each piece of an index was asked for lately, in bounded memory. */
import { HOUR_MS } from "./week.ts";

export interface Warmth {
  readonly key: string;
  /** Askings, each worth half as much after every half-life. */
  readonly heat: number;
}

export interface Heat {
  readonly size: number;
  /** Counts an asking, or so many of them. */
  add(key: string, atMs: number, times?: number): void;
  /** Hottest first; equal ones by key. */
  hottest(atMs: number): readonly Warmth[];
  /** Replaces every key: a new one is as hot as the old one that `ancestorOf` names for it. */
  rename(newKeys: readonly string[], ancestorOf: (newKey: string) => string | null): void;
}

/** Half of what was asked three days ago is forgotten: a working week is remembered over its weekend. */
export const HEAT_HALF_LIFE_MS = 72 * HOUR_MS;
/** More than an index of this size has lists; some 200 KB of counters for each isolate. */
export const HEAT_COUNTERS_MAX = 2_048;

/** Weights are counted from a landmark that moves before they could leave the range of a double. */
const DOUBLINGS_MAX = 512;

/**
 * Counts by Space-Saving: Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data
 * Streams", ICDT 2005. With m counters every key whose share of all askings is above 1/m is among them, and none is
 * overrated by more than the smallest counter. Old askings fade by forward decay (Cormode et al., ICDE 2009): a new one
 * weighs 2^(age of the counter / half-life) instead, so that nothing stored ever has to be touched.
 *
 * The smallest counter is found by a scan, a few microseconds for each key that is not yet counted: an index has about as
 * many lists as there are counters, so in practice that is each key's first time.
 */
export function createHeat(options: { readonly countersMax: number; readonly halfLifeMs: number }): Heat {
  const { countersMax, halfLifeMs } = options;
  let counters = new Map<string, number>();
  let landmarkMs: number | null = null;

  function doublingsAt(atMs: number): number {
    landmarkMs ??= atMs;
    const doublings = (atMs - landmarkMs) / halfLifeMs;
    if (doublings <= DOUBLINGS_MAX) return doublings;
    for (const [key, weight] of counters) counters.set(key, weight * 2 ** -doublings);
    landmarkMs = atMs;
    return 0;
  }

  function smallest(): readonly [string, number] | null {
    let found: readonly [string, number] | null = null;
    for (const entry of counters) if (found === null || entry[1] < found[1]) found = entry;
    return found;
  }

  return {
    get size() {
      return counters.size;
    },
    add(key, atMs, times = 1) {
      const weight = times * 2 ** doublingsAt(atMs);
      const known = counters.get(key);
      if (known !== undefined || counters.size < countersMax) {
        counters.set(key, (known ?? 0) + weight);
        return;
      }
      const least = smallest();
      if (least !== null) counters.delete(least[0]);
      counters.set(key, (least?.[1] ?? 0) + weight);
    },
    hottest(atMs) {
      const now = 2 ** doublingsAt(atMs);
      return [...counters]
        .map(([key, weight]) => ({ key, heat: weight / now }))
        .sort((a, b) => b.heat - a.heat || (a.key < b.key ? -1 : 1));
    },
    rename(newKeys, ancestorOf) {
      const inherited: [string, number][] = [];
      for (const key of newKeys) {
        const ancestor = ancestorOf(key);
        const weight = ancestor === null ? undefined : counters.get(ancestor);
        if (weight !== undefined) inherited.push([key, weight]);
      }
      counters = new Map(inherited.sort((a, b) => b[1] - a[1]).slice(0, countersMax));
    },
  };
}
