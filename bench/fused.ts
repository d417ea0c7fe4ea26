/** Ranked ids of two lists as one ranking, as the network fuses those of hashed and of learned vectors. */
import { fusionOf } from "@kattegat/protocol/fusion.ts";

export interface FusedId {
  readonly id: string;
  readonly score: number;
}

/** Best first; equal scores by id. */
export function fusedIds(dense: readonly string[], lexical: readonly string[]): readonly FusedId[] {
  const { k, denseWeight, lexicalWeight } = fusionOf("learned-");
  const scores = new Map<string, number>();
  const add = (list: readonly string[], weight: number): void => {
    for (const [at, id] of list.entries()) scores.set(id, (scores.get(id) ?? 0) + weight / (k + at + 1));
  };
  add(dense, denseWeight);
  add(lexical, lexicalWeight);
  return Array.from(scores, ([id, score]) => ({ id, score })).toSorted(byScore);
}

/** The order of every list: score descending, then id. */
export function byScore(a: FusedId, b: FusedId): number {
  return b.score - a.score || (a.id < b.id ? -1 : 1);
}
