/** Compares two network files: what a change would move, copy, delete, permit and forbid. */
import { NEVER, ALWAYS } from "./day.ts";
import type { Day } from "./day.ts";
import { collectionsOf, grantsOf } from "./grants.ts";
import type { Grant, GrantKind } from "./grants.ts";
import { conditionWidenings } from "./narrowing.ts";
import type { ConditionKey } from "./narrowing.ts";
import type { Network, TierName } from "./network.ts";
import { TIER_NAMES } from "./network.ts";
import { copySites } from "./placement.ts";
import { policyVersion } from "./policy-version.ts";

/** A decision that changes its answer, at one or several places alike. */
export interface ChangedRight {
  readonly kind: GrantKind | ConditionKey;
  readonly className: string;
  /** Countries, zones, sites, collections, destinations; of a condition, what it says. */
  readonly places: readonly string[];
  /** The last day on which it was allowed before, and is after; null when it was or is not. */
  readonly before: Day | null;
  readonly after: Day | null;
}

/** What happens to the copies of the documents of one class and tier. */
export interface ChangedCopies {
  readonly residency: string;
  readonly tier: TierName;
  readonly change: "move" | "copy" | "delete";
  readonly from: readonly string[];
  readonly to: readonly string[];
}

export interface NetworkDiff {
  readonly policy: { readonly before: string; readonly after: string };
  readonly copies: readonly ChangedCopies[];
  /** A widening: not empty when some decision says yes where it said no, on whatever day, or a condition of a class lets go. */
  readonly permitted: readonly ChangedRight[];
  readonly forbidden: readonly ChangedRight[];
}

/** What is different for a network that goes from `before` to `after` on this day; empty lists for one that stays as it is. */
export function diffNetworks(
  before: Network,
  after: Network,
  { today }: { readonly today: Day },
): NetworkDiff {
  const collections = collectionsOf(before, after);
  const own = { before: grantsOf(before, { collections }), after: grantsOf(after, { collections }) };
  return {
    policy: { before: policyVersion(before), after: policyVersion(after) },
    copies: changedCopies(before, after, today),
    permitted: [...grown(own.before, own.after), ...conditionChanges(before, after, "permitted")],
    forbidden: [...shrunk(own.before, own.after), ...conditionChanges(before, after, "forbidden")],
  };
}

function grown(before: readonly Grant[], after: readonly Grant[]): readonly ChangedRight[] {
  const known = new Map(before.map((grant) => [keyOf(grant), grant.until]));
  const rights = after.flatMap((grant) => {
    const was = known.get(keyOf(grant)) ?? NEVER;
    return grant.until > was ? [rightOf(grant, { before: was, after: grant.until })] : [];
  });
  return grouped(rights);
}

function shrunk(before: readonly Grant[], after: readonly Grant[]): readonly ChangedRight[] {
  return grown(after, before).map((right) => ({ ...right, before: right.after, after: right.before }));
}

function keyOf({ kind, className, place }: Grant): string {
  return JSON.stringify([kind, className, place]);
}

function rightOf(
  { kind, className, place }: Grant,
  days: { readonly before: Day; readonly after: Day },
): ChangedRight {
  const dayOf = (day: Day): Day | null => (day === NEVER ? null : day);
  return { kind, className, places: [place], before: dayOf(days.before), after: dayOf(days.after) };
}

/** Places alike in one line: a group of countries is thirty of them. */
function grouped(rights: readonly ChangedRight[]): readonly ChangedRight[] {
  const groups = new Map<string, ChangedRight>();
  for (const right of rights) {
    const key = JSON.stringify([right.kind, right.className, right.before, right.after]);
    const known = groups.get(key);
    groups.set(key, known === undefined ? right : { ...known, places: [...known.places, ...right.places] });
  }
  return [...groups.values()];
}

/** Conditions say more than the places that there are today: an exclusion that goes lets in operators to come. */
function conditionChanges(
  before: Network,
  after: Network,
  side: "permitted" | "forbidden",
): readonly ChangedRight[] {
  return Object.keys(after.classes).flatMap((className) => {
    const [was, is] = [before.classes[className], after.classes[className]];
    if (was === undefined || is === undefined) return [];
    const changes = side === "permitted" ? conditionWidenings(is, was) : conditionWidenings(was, is);
    return changes.map(({ key, says }): ChangedRight => {
      const days = side === "permitted" ? { before: null, after: ALWAYS } : { before: ALWAYS, after: null };
      return { kind: key, className, places: [says], ...days };
    });
  });
}

function changedCopies(before: Network, after: Network, today: Day): readonly ChangedCopies[] {
  return Object.keys(before.classes).flatMap((residency) =>
    TIER_NAMES.flatMap((tier): ChangedCopies[] => {
      const had = copySites({ residency, tier }, before, today);
      const has = copySites({ residency, tier }, after, today);
      const from = had.filter((site) => !has.includes(site));
      const to = has.filter((site) => !had.includes(site));
      if (from.length === 0 && to.length === 0) return [];
      const change = from.length === 0 ? "copy" : to.length === 0 ? "delete" : "move";
      return [{ residency, tier, change, from, to }];
    }),
  );
}
