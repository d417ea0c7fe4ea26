/** The plan of a search: which sites are asked for which tiers. */
import type { Network, TierName } from "@kattegat/config/network.ts";
import { placement } from "@kattegat/config/placement.ts";
import { distanceKm, type Location } from "./geography.ts";

/** One question to one site; `standIns` are asked in turn when it fails. */
export interface Ask {
  readonly site: string;
  readonly kind: "site" | "cold";
  readonly tiers: readonly TierName[];
  readonly classes: readonly string[];
  readonly standIns: readonly string[];
  /** How long the answer may wait for this question: the largest of its tiers. */
  readonly waitMs: number;
  readonly reason: string;
}

/** A tier that nobody is asked for. */
export interface Withheld {
  readonly tier: TierName;
  readonly site: string;
  readonly reason: string;
}

export interface Plan {
  readonly asks: readonly Ask[];
  readonly withheld: readonly Withheld[];
}

export interface PlanRequest {
  readonly tiers: readonly TierName[];
  /** Residency classes that this caller may be served through this zone. */
  readonly served: readonly string[];
  /** Cold indexes that this edge has a bucket of, by site id. */
  readonly buckets: readonly string[];
  readonly callerLocation: Location | null;
  readonly edgeSite: string;
}

/**
 * Decides by placement alone, so that a class is asked for exactly where its copies are.
 *
 * The primary is asked once for all of its tiers. Of several sites that hold the same classes of a tier, the nearest to
 * the caller is asked, the others stand in for it.
 */
export function planSearch(network: Network, request: PlanRequest): Plan {
  const questions = new Map<
    string,
    { sites: readonly string[]; tiers: Set<TierName>; classes: Set<string> }
  >();
  const withheld: Withheld[] = [];
  for (const tier of new Set(request.tiers)) {
    let isAsked = false;
    for (const residency of request.served) {
      const sites = nearestFirst(placement({ residency, tier }, network), network, request.callerLocation);
      const reachable = sites.filter(
        (site) => kindOf(network, site) !== "edge" || request.buckets.includes(site),
      );
      const [first] = reachable;
      if (first === undefined) continue;
      isAsked = true;
      const key = first === primaryOf(network) ? first : reachable.join(" ");
      const question = questions.get(key) ?? { sites: reachable, tiers: new Set(), classes: new Set() };
      question.tiers.add(tier);
      question.classes.add(residency);
      questions.set(key, question);
    }
    if (!isAsked) withheld.push(withheldTier(network, tier, request));
  }
  const asks = [...questions.values()].map(({ sites, tiers, classes }) =>
    askOf(network, { sites, tiers: [...tiers], classes: [...classes] }),
  );
  return { asks, withheld };
}

function askOf(
  network: Network,
  {
    sites,
    tiers,
    classes,
  }: {
    readonly sites: readonly string[];
    readonly tiers: readonly TierName[];
    readonly classes: readonly string[];
  },
): Ask {
  const [site = "", ...standIns] = sites;
  const isCold = kindOf(network, site) === "edge";
  const choice = isCold
    ? "its bucket is bound here"
    : standIns.length === 0
      ? "the only site that holds them"
      : `the nearest; ${standIns.join(", ")} would stand in`;
  return {
    site,
    kind: isCold ? "cold" : "site",
    tiers,
    classes,
    standIns,
    waitMs: Math.max(...tiers.map((tier) => network.tiers[tier].deadline_ms)),
    reason: `${site} holds ${classes.join(", ")} in ${tiers.join(", ")}: ${choice}`,
  };
}

function withheldTier(network: Network, tier: TierName, request: PlanRequest): Withheld {
  const holder = Object.keys(network.classes).flatMap((residency) =>
    placement({ residency, tier }, network),
  )[0];
  return {
    tier,
    site: holder ?? request.edgeSite,
    reason:
      request.served.length === 0
        ? "no residency class may be served to this caller here"
        : "no class that may be served here has a copy that this edge reaches",
  };
}

/** Without a caller's place, the primary's stands for it: a Danish company's callers are mostly near. */
function nearestFirst(
  sites: readonly string[],
  network: Network,
  caller: Location | null,
): readonly string[] {
  const from = caller ?? network.sites.find((site) => site.kind === "primary")?.location;
  if (from === undefined || sites.length < 2) return sites;
  const distances = new Map(
    sites.map((id) => {
      const place = network.sites.find((site) => site.id === id)?.location;
      return [id, place === undefined ? Infinity : distanceKm(from, place)] as const;
    }),
  );
  return sites.toSorted(
    (a, b) => (distances.get(a) ?? Infinity) - (distances.get(b) ?? Infinity) || (a < b ? -1 : 1),
  );
}

function kindOf(network: Network, id: string): string | undefined {
  return network.sites.find((site) => site.id === id)?.kind;
}

function primaryOf(network: Network): string | undefined {
  return network.sites.find((site) => site.kind === "primary")?.id;
}
