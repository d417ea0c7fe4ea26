/** How far scores would have to be off for an answer to be the right one. */
import { K, WEIGHTS, type OracleEntry } from "./exact-index.ts";

/** Steps of halving: the margin is then known to a millionth of the greatest score. */
const HALVINGS = 30;

export interface Miss {
  /** What the answer should have held. */
  readonly missing: string;
  /** What it held in place of its misses. */
  readonly instead: readonly string[];
}

/**
 * Returns the smallest difference of scores that explains the miss: if any two scores of a list that lie closer may
 * stand in either order, then one of `instead` can rank as high as `missing`. Infinity when nothing does.
 *
 * In the hybrid mode it is a difference of dense or lexical scores too, never of fused ones: a fused score is made of
 * ranks, and how much of it a small error moves depends on how dense the list is at that place.
 */
export function marginOf(
  { missing, instead }: Miss,
  { lists, depth }: { readonly lists: readonly (readonly OracleEntry[])[]; readonly depth: number },
): number {
  const isExplained = (error: number): boolean => {
    const worst = fusedScore(missing, { lists, depth, shift: -error });
    return instead.some((id) => fusedScore(id, { lists, depth, shift: error }) >= worst);
  };
  let high = Math.max(0, ...lists.flat().map(({ score }) => Math.abs(score))) * 2;
  if (!isExplained(high)) return Infinity;
  let low = 0;
  for (let step = 0; step < HALVINGS; step += 1) {
    const middle = (low + high) / 2;
    if (isExplained(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** The fused score at the best rank that a document can have when `shift` is positive, at the worst when negative. */
function fusedScore(
  id: string,
  {
    lists,
    depth,
    shift,
  }: {
    readonly lists: readonly (readonly OracleEntry[])[];
    readonly depth: number;
    readonly shift: number;
  },
): number {
  let sum = 0;
  for (const [at, list] of lists.entries()) {
    const own = list.find((entry) => entry.id === id)?.score;
    if (own === undefined) continue;
    const before = list.filter(
      (entry) => entry.id !== id && (shift > 0 ? entry.score > own + shift : entry.score >= own + shift),
    ).length;
    if (before < depth) sum += (WEIGHTS[at] ?? 1) / (K + before + 1);
  }
  return sum;
}
