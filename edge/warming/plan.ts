/** What a warming run reads, in which order. */
import type { Warmth } from "./heat.ts";

export interface WarmingBudget {
  readonly bytesMax: number;
  readonly readsMax: number;
  /** Askings that a piece must still be worth: reading one that nobody wants costs as much as missing one that somebody does. */
  readonly heatMin: number;
}

/** A sixth of the reads that the platform allows an invocation, a third of what an isolate keeps. */
export const WARMING_BUDGET: WarmingBudget = { bytesMax: 12 * 2 ** 20, readsMax: 1_000, heatMin: 2 };

/**
 * Returns the keys to read, in this order, within the budget.
 *
 * The most askings for a byte come first: with a bound on bytes that saves the most reads (the greedy answer to the
 * knapsack, which is off by at most one piece). `bytesOf` gives null for a key that the index no longer has.
 */
export function planWarming(
  hottest: readonly Warmth[],
  bytesOf: (key: string) => number | null,
  { bytesMax, readsMax, heatMin }: WarmingBudget,
): readonly string[] {
  const candidates = hottest
    .filter(({ heat }) => heat >= heatMin)
    .map(({ key, heat }) => ({ key, bytes: bytesOf(key), heat }))
    .filter((candidate) => candidate.bytes !== null)
    .map(({ key, bytes, heat }) => ({ key, bytes: bytes ?? 0, density: heat / Math.max(1, bytes ?? 0) }))
    .sort((a, b) => b.density - a.density);
  const planned: string[] = [];
  let left = bytesMax;
  for (const { key, bytes } of candidates) {
    if (planned.length === readsMax) break;
    if (bytes > left) continue;
    left -= bytes;
    planned.push(key);
  }
  return planned;
}
