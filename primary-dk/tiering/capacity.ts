/** Makes room in full tiers: the documents with the lowest scores move down. */
import type { TierName } from "@kattegat/config/network.ts";
import { moved } from "../documents/decide.ts";
import type { Effect } from "../documents/operation.ts";
import type { Placements } from "../documents/placements.ts";
import type { DocumentState } from "../documents/state.ts";
import { TIER_ORDER, tierBelow } from "./classify.ts";
import type { TierCounts } from "./counts.ts";

/** Resolves with the documents of the tier with the lowest scores that are not pinned, lowest first, locked. */
export type LowestOf = (
  tier: TierName,
  options: { readonly limit: number; readonly except: readonly string[] },
) => Promise<readonly DocumentState[]>;

/**
 * Returns the effects with tiers that fit, followed by the moves of the documents that had to make room.
 *
 * Documents of the group compete with those already there by score, then id. A new document that loses is put into the
 * lower tier at once, which costs no move. Pinned documents never make room; a tier full of them overflows, as does the
 * coldest one: nothing is lost for want of room.
 */
export async function fitCapacity(
  effects: readonly Effect[],
  options: { readonly counts: TierCounts; readonly placements: Placements; readonly lowestOf: LowestOf },
): Promise<Effect[]> {
  const fitted = [...effects];
  for (const tier of TIER_ORDER) {
    const below = tierBelow(tier);
    if (below === null) break;
    const over =
      options.counts.documents(tier) + added(fitted, tier) - options.placements.network.tiers[tier].capacity;
    if (over <= 0 || added(fitted, tier) <= 0) continue;
    const except = fitted.flatMap(({ before }) => (before === null ? [] : [before.id]));
    const standing = await options.lowestOf(tier, { limit: over, except });
    const mayGo = (state: DocumentState): boolean =>
      state.pinned_tier === null && options.placements.of(state.residency, below).length > 0;
    const candidates = [
      ...standing.map((state) => ({ state, index: -1 })),
      ...fitted.flatMap(({ kind, after }, index) =>
        kind === "put" && after !== null && after.tier === tier ? [{ state: after, index }] : [],
      ),
    ].filter(({ state }) => mayGo(state));
    candidates.sort((a, b) => a.state.score - b.state.score || (a.state.id < b.state.id ? -1 : 1));
    for (const { state, index } of candidates.slice(0, over)) {
      const effect = fitted[index];
      if (effect === undefined)
        fitted.push({ kind: "put", before: state, after: moved(state, below), content: null });
      else
        fitted[index] = {
          ...effect,
          after: effect.before === null ? { ...state, tier: below } : moved(state, below),
        };
    }
  }
  return fitted;
}

function added(effects: readonly Effect[], tier: TierName): number {
  let count = 0;
  for (const { before, after } of effects)
    count += (after?.tier === tier ? 1 : 0) - (before?.tier === tier ? 1 : 0);
  return count;
}
