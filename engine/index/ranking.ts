/** A slot with its score. */
export interface Ranked {
  readonly slot: number;
  readonly score: number;
}

export interface RankingOptions {
  readonly limit: number;
  /** The group of a slot, of which only the best slot is ranked; null ranks every slot. */
  readonly groupOf: ((slot: number) => number) | null;
  /** Orders two slots of equal score: negative when the left one goes first. */
  readonly compareTies: (left: number, right: number) => number;
}

/** Returns the best `limit` of the offered slots or groups, best first. */
export function rank(offered: Iterable<Ranked>, { limit, groupOf, compareTies }: RankingOptions): Ranked[] {
  const compare = (left: Ranked, right: Ranked) =>
    right.score - left.score || compareTies(left.slot, right.slot);
  const best = groupOf === null ? offered : bestOfGroups(offered, groupOf, compare);
  // A sorted buffer of twice the limit: each item is compared with the last kept one first, and most stop there.
  let kept: Ranked[] = [];
  let last: Ranked | undefined;
  for (const item of best) {
    if (last !== undefined && compare(item, last) > 0) continue;
    kept.push(item);
    if (kept.length < limit * 2) continue;
    kept = kept.toSorted(compare).slice(0, limit);
    last = kept.at(-1);
  }
  return kept.toSorted(compare).slice(0, limit);
}

function bestOfGroups(
  offered: Iterable<Ranked>,
  groupOf: (slot: number) => number,
  compare: (left: Ranked, right: Ranked) => number,
): Iterable<Ranked> {
  const best = new Map<number, Ranked>();
  for (const item of offered) {
    const group = groupOf(item.slot);
    const other = best.get(group);
    if (other === undefined || compare(item, other) < 0) best.set(group, item);
  }
  return best.values();
}

/** Orders strings by code unit, which is the same on every machine; a locale's order is not. */
export function compareCodeUnits(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
