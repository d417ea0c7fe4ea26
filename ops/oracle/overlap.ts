/** Comparison of an answer's top with the oracle's, where equal scores may swap. */
import type { OracleEntry } from "./exact-index.ts";

/** Float32 sums in another order differ by less than this; two scores closer than it count as equal. */
export const EQUAL_SCORES = 1e-5;

export interface Overlap {
  readonly expected: number;
  readonly found: number;
  /** Ids that the answer should have held. */
  readonly missing: readonly string[];
  /** Ids that the answer held in their place; fewer than are missing when it was too short. */
  readonly instead: readonly string[];
}

/**
 * Counts the oracle's top `limit` that the answer holds. An id of the answer that is not among them, yet scores as
 * much as the oracle's last, stands for one that is missing with that very score.
 */
export function overlapOf(
  ranking: readonly OracleEntry[],
  answered: readonly string[],
  limit: number,
): Overlap {
  const top = ranking.slice(0, limit);
  const cut = top.at(-1)?.score ?? 0;
  const scores = new Map(ranking.map(({ id, score }) => [id, score]));
  const held = new Set(answered);
  const swapped = answered.filter(
    (id) => !top.some((entry) => entry.id === id) && (scores.get(id) ?? -Infinity) >= cut - EQUAL_SCORES,
  );
  const absent = top.filter(({ id }) => !held.has(id));
  const excused = absent.filter(({ score }) => score <= cut + EQUAL_SCORES).slice(0, swapped.length);
  const missing = absent.filter((entry) => !excused.includes(entry));
  return {
    expected: top.length,
    found: top.length - missing.length,
    missing: missing.map(({ id }) => id),
    instead: answered.filter((id) => !top.some((entry) => entry.id === id)),
  };
}
