/** Explains, site by site, what the network file decides. */
import type { Network, Site, TierName } from "./network.ts";
import { placement } from "./placement.ts";
import type { Zone } from "./residency-class.ts";
import { mayCache, mayHold, mayPass, servedClasses } from "./residency.ts";
import type { CallerCountry } from "./country-list.ts";
import type { WithheldClass } from "./residency.ts";

export interface SiteExplanation {
  readonly site: string;
  readonly kind: Site["kind"];
  readonly country: string | null;
  readonly zone: Zone | null;
  readonly running: boolean;
  /** What the law allows: may a copy be at rest here? */
  readonly mayHold: boolean;
  /** What placement plans: `searchable` answers searches of this tier; `record` is the primary's own record, or its replica; `none`. */
  readonly copy: "searchable" | "record" | "none";
  readonly why: string;
}

export interface DocumentExplanation {
  readonly residency: string;
  readonly tier: TierName;
  readonly sites: readonly SiteExplanation[];
  readonly zones: readonly { readonly zone: Zone; readonly mayPass: boolean; readonly mayCache: boolean }[];
}

export interface CallerExplanation {
  readonly zone: Zone;
  readonly hostname: string | null;
  readonly served: readonly string[];
  readonly notServed: readonly (WithheldClass & { readonly why: string })[];
}

/** Why a copy of a document of this class and tier is, or is not, at each site. */
export function explainDocument(
  network: Network,
  document: { readonly residency: string; readonly tier: TierName; readonly today?: string },
): DocumentExplanation {
  const planned = placement(document, network, document.today);
  const zones = edgesOf(network).map(({ zone }) => ({
    zone,
    mayPass: mayPass(network, document.residency, zone),
    mayCache: mayCache(network, document.residency, zone),
  }));
  const sites = network.sites.map((site): SiteExplanation => {
    const legal = mayHold(network, document.residency, site, document.today);
    const copy = copyAt(site, { legal, planned });
    return {
      site: site.id,
      kind: site.kind,
      country: site.country ?? null,
      zone: site.zone ?? null,
      running: site.running,
      mayHold: legal,
      copy,
      why: whyAt(network, document, { site, legal, copy, planned }),
    };
  });
  return { residency: document.residency, tier: document.tier, sites, zones };
}

/** What a caller in this country gets at each zone's host name. */
export function explainCaller(
  network: Network,
  caller: { readonly country: CallerCountry; readonly today?: string },
): readonly CallerExplanation[] {
  return edgesOf(network).map(({ site, zone }) => {
    const { served, notServed } = servedClasses(network, {
      zone,
      callerCountry: caller.country,
      ...(caller.today === undefined ? {} : { today: caller.today }),
    });
    return {
      zone,
      hostname: site.hostname ?? null,
      served,
      notServed: notServed.map((withheld) => ({
        ...withheld,
        why: whyWithheld(network, withheld, { zone, country: caller.country }),
      })),
    };
  });
}

function copyAt(
  site: Site,
  { legal, planned }: { readonly legal: boolean; readonly planned: readonly string[] },
): SiteExplanation["copy"] {
  if (planned.includes(site.id)) return "searchable";
  return legal && site.running && site.kind !== "regional" && site.kind !== "edge" ? "record" : "none";
}

function whyAt(
  network: Network,
  document: { readonly residency: string; readonly tier: TierName },
  at: {
    readonly site: Site;
    readonly legal: boolean;
    readonly copy: SiteExplanation["copy"];
    readonly planned: readonly string[];
  },
): string {
  const { site, legal, copy, planned } = at;
  const { residency, tier } = document;
  if (!Object.hasOwn(network.classes, residency))
    return `the network file has no class ${residency}; what it does not know, it refuses`;
  const place =
    site.kind === "edge" ? `the zone ${site.zone ?? "none"}` : `the country ${site.country ?? "none"}`;
  if (!legal) return `class ${residency} does not store in ${place}: ${storeOf(network, residency)}`;
  if (!site.running)
    return `class ${residency} may store in ${place}, but the site is declared only (running: false)`;
  if (copy === "searchable") {
    if (site.kind !== "primary" || tier === "ultra-hot" || tier === "hot")
      return `class ${residency} may store in ${place}, which serves the tier ${tier}`;
    return `no running ${tier === "warm" ? "regional" : "edge"} site may hold class ${residency}, so its ${tier} copy stays at the primary`;
  }
  if (copy === "record") {
    const record = {
      primary: "the record of every document rests here",
      standby: "a replica of the primary's record",
      archive: "the archive keeps every document that it may hold",
    };
    const why =
      site.kind === "primary" || site.kind === "standby" || site.kind === "archive" ? record[site.kind] : "";
    return `${why}; the tier ${tier} is searched at ${planned.join(", ")}`;
  }
  return `class ${residency} may store in ${place}, but the tier ${tier} is searched at ${planned.join(", ")}`;
}

function storeOf(network: Network, residency: string): string {
  const store = network.classes[residency]?.store;
  const list = (values: readonly string[] | undefined): string =>
    values === undefined || values.length === 0 ? "none" : values.join(", ");
  return `store.countries is ${list(store?.countries)}, store.zones is ${list(store?.zones)}`;
}

function whyWithheld(
  network: Network,
  withheld: WithheldClass,
  asked: { readonly zone: Zone; readonly country: CallerCountry },
): string {
  const { className, reason, alternateZone } = withheld;
  if (reason === "caller") {
    const countries = network.classes[className]?.serve.countries.join(", ") ?? "";
    return `class ${className} serves callers in ${countries === "" ? "no country" : countries}; this one is in ${asked.country ?? "an unknown country"}`;
  }
  if (alternateZone === undefined)
    return `class ${className} may not pass through the zone ${asked.zone}, nor through any other that runs; the primary's own endpoint serves it`;
  return `class ${className} may not pass through the zone ${asked.zone}; the zone ${alternateZone} would serve it`;
}

function edgesOf(network: Network): readonly { readonly site: Site; readonly zone: Zone }[] {
  return network.sites.flatMap((site) =>
    site.kind === "edge" && site.zone !== undefined ? [{ site, zone: site.zone }] : [],
  );
}
