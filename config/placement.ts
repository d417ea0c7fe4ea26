/** Plans where the searchable copy of a document lives. */
import type { Site, TierName } from "./network.ts";
import type { ResidencyRules } from "./conditions.ts";
import { mayHold } from "./residency.ts";

/**
 * Ids of the running sites that hold the searchable copy, in the file's order; empty when no site may.
 *
 * The hot tiers live at the primary, warm at every regional that may hold the class, cold in one edge zone's bucket.
 * A site that is retiring is planned no more, and so gives up what it has; it runs on to be told so.
 * A class that no regional or edge may hold keeps these copies at the primary: a tier is a promise of speed, not a place.
 */
export function placement(
  document: { readonly residency: string; readonly tier: TierName },
  network: ResidencyRules,
  today?: string,
): readonly string[] {
  const legal = network.sites.filter(
    (site) => site.running && site.retiring !== true && mayHold(network, document.residency, site, today),
  );
  const primaries = idsOf(legal, "primary");
  switch (document.tier) {
    case "ultra-hot":
    case "hot":
      return primaries;
    case "warm": {
      const regionals = idsOf(legal, "regional");
      return regionals.length > 0 ? regionals : primaries;
    }
    case "cold": {
      const edge = widestEdge(legal);
      return edge === undefined ? primaries : [edge.id];
    }
    default:
      return [];
  }
}

/** Ids of all running sites with a copy: the searchable one, the primary's record, its replica, the archive. */
export function copySites(
  document: { readonly residency: string; readonly tier: TierName },
  network: ResidencyRules,
  today?: string,
): readonly string[] {
  const planned = placement(document, network, today);
  return network.sites
    .filter(
      (site) =>
        planned.includes(site.id) ||
        (site.running && keepsRecord(site) && mayHold(network, document.residency, site, today)),
    )
    .map(({ id }) => id);
}

/** Ids of the running archives that hold a document of the class, whatever its tier. */
export function archiveSites(residency: string, network: ResidencyRules, today?: string): readonly string[] {
  return network.sites
    .filter((site) => site.kind === "archive" && site.running && mayHold(network, residency, site, today))
    .map(({ id }) => id);
}

/** Whether every document that the site may hold rests there, whatever its tier. */
export function keepsRecord({ kind }: Pick<Site, "kind">): boolean {
  return kind !== "regional" && kind !== "edge";
}

/** The EU zone reads both cold indexes, the global zone only its own: one copy in the widest legal zone is enough. */
function widestEdge(legal: readonly Site[]): Site | undefined {
  const edges = legal.filter((site) => site.kind === "edge");
  return edges.find((site) => site.zone === "global") ?? edges[0];
}

function idsOf(sites: readonly Site[], kind: Site["kind"]): readonly string[] {
  return sites.filter((site) => site.kind === kind).map((site) => site.id);
}
