/** Explains, site by site, what the network file decides. */
import type { Network, Site, TierName } from "./network.ts";
import { keepsRecord, placement } from "./placement.ts";
import type { Zone } from "./residency-class.ts";
import { decideCache, decideHold, decidePass, decideServe, servedClasses } from "./residency.ts";
import type { CallerCountry } from "./country-list.ts";
import { ALWAYS } from "./day.ts";
import { policyVersion } from "./policy-version.ts";
import type { Decision, DecidingRule, WithheldClass } from "./residency.ts";
import { keptUntil, periodOf } from "./retention.ts";
import type { DocumentDates } from "./retention.ts";
import { carriedClasses } from "./tenants.ts";

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
  /** The rules that decide `mayHold`. */
  readonly rules: readonly DecidingRule[];
}

/** What is asked about: a class and a tier, or a document with what else decides about it. */
export interface ExplainedDocument {
  readonly residency: string;
  readonly tier: TierName;
  readonly collection?: string;
  readonly dates?: DocumentDates;
  readonly today?: string;
}

export interface RetentionExplanation {
  readonly period: string;
  /** The last day on which this document is kept; null without its dates. */
  readonly until: string | null;
  readonly reason: string;
  readonly reference: string;
}

export interface DocumentExplanation {
  readonly residency: string;
  readonly tier: TierName;
  readonly policy: string;
  readonly sites: readonly SiteExplanation[];
  readonly zones: readonly { readonly zone: Zone; readonly pass: Decision; readonly cache: Decision }[];
  readonly retention: RetentionExplanation | null;
  /** Classes that the document's collection takes; null without a collection. */
  readonly collection: { readonly name: string; readonly takes: readonly string[] } | null;
}

export interface ServedExplanation {
  readonly className: string;
  /** Sites from which it is answered, by tier. */
  readonly from: Readonly<Record<TierName, readonly string[]>>;
  readonly rules: readonly DecidingRule[];
}

export interface CallerExplanation {
  readonly zone: Zone;
  readonly hostname: string | null;
  readonly served: readonly ServedExplanation[];
  readonly notServed: readonly (WithheldClass & {
    readonly why: string;
    readonly rules: readonly DecidingRule[];
  })[];
}

/** Why a copy of a document of this class and tier is, or is not, at each site. */
export function explainDocument(network: Network, document: ExplainedDocument): DocumentExplanation {
  const { residency, tier, collection, today } = document;
  const planned = placement(document, network, today);
  const zones = edgesOf(network).map(({ zone }) => ({
    zone,
    pass: decidePass(network, residency, zone),
    cache: decideCache(network, residency, zone, today),
  }));
  const sites = network.sites.map((site): SiteExplanation => {
    const { allowed: legal, rules } = decideHold(network, residency, site, today);
    const copy = copyAt(site, { legal, planned });
    return {
      site: site.id,
      kind: site.kind,
      country: site.country ?? null,
      zone: site.zone ?? null,
      running: site.running,
      mayHold: legal,
      copy,
      why: whyAt(document, { site, legal, copy, planned, rules }),
      rules,
    };
  });
  return {
    residency,
    tier,
    policy: policyVersion(network),
    sites,
    zones,
    retention: retentionOf(network, document),
    collection:
      collection === undefined ? null : { name: collection, takes: carriedClasses(network, collection) },
  };
}

function retentionOf(
  { classes }: Network,
  { residency, dates }: ExplainedDocument,
): RetentionExplanation | null {
  const rules = Object.hasOwn(classes, residency) ? classes[residency] : undefined;
  if (rules?.retention === undefined) return null;
  const { reason, reference, until } = rules.retention;
  const day = dates === undefined ? until : keptUntil(rules, dates);
  return {
    period: periodOf(rules.retention),
    until: day === undefined || day === ALWAYS ? null : day,
    reason,
    reference,
  };
}

/** What a caller in this country gets at each zone's host name, and from which sites. */
export function explainCaller(
  network: Network,
  caller: { readonly country: CallerCountry; readonly today?: string },
): readonly CallerExplanation[] {
  const { country, today } = caller;
  return edgesOf(network).map(({ site, zone }) => {
    const { served, notServed } = servedClasses(network, { zone, callerCountry: country, today });
    return {
      zone,
      hostname: site.hostname ?? null,
      served: served.map((className) => ({
        className,
        from: sitesByTier(network, className, today),
        rules: decideServe(network, className, country, today).rules,
      })),
      notServed: notServed.map((withheld) => ({
        ...withheld,
        why: whyWithheld(withheld, { zone, country }),
        rules:
          withheld.reason === "caller"
            ? decideServe(network, withheld.className, country, today).rules
            : decidePass(network, withheld.className, zone).rules,
      })),
    };
  });
}

function sitesByTier(
  network: Network,
  residency: string,
  today: string | undefined,
): Readonly<Record<TierName, readonly string[]>> {
  const at = (tier: TierName): readonly string[] => placement({ residency, tier }, network, today);
  return { "ultra-hot": at("ultra-hot"), hot: at("hot"), warm: at("warm"), cold: at("cold") };
}

function copyAt(
  site: Site,
  { legal, planned }: { readonly legal: boolean; readonly planned: readonly string[] },
): SiteExplanation["copy"] {
  if (planned.includes(site.id)) return "searchable";
  return legal && site.running && keepsRecord(site) ? "record" : "none";
}

function whyAt(
  { residency, tier }: ExplainedDocument,
  at: {
    readonly site: Site;
    readonly legal: boolean;
    readonly copy: SiteExplanation["copy"];
    readonly planned: readonly string[];
    readonly rules: readonly DecidingRule[];
  },
): string {
  const { site, legal, copy, planned, rules } = at;
  const place =
    site.kind === "edge" ? `the zone ${site.zone ?? "none"}` : `the country ${site.country ?? "none"}`;
  if (!legal)
    return `class ${residency} may not rest in ${place}: ${rules.map(({ says }) => says).join("; ")}`;
  if (!site.running)
    return `class ${residency} may store in ${place}, but the site is declared only (running: false)`;
  if (site.retiring === true)
    return `class ${residency} may store in ${place}, but the site is retiring and gives its copies up`;
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

function whyWithheld(
  { className, reason, alternateZone }: WithheldClass,
  asked: { readonly zone: Zone; readonly country: CallerCountry },
): string {
  if (reason === "caller")
    return `class ${className} does not serve callers in ${asked.country ?? "an unknown country"}`;
  if (alternateZone === undefined)
    return `class ${className} may not pass through the zone ${asked.zone}, nor through any other that runs; the primary's own endpoint serves it`;
  return `class ${className} may not pass through the zone ${asked.zone}; the zone ${alternateZone} would serve it`;
}

function edgesOf(network: Network): readonly { readonly site: Site; readonly zone: Zone }[] {
  return network.sites.flatMap((site) =>
    site.kind === "edge" && site.zone !== undefined ? [{ site, zone: site.zone }] : [],
  );
}
