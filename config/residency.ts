/** Decides what the law allows, by the network file, refusing whatever it does not know. */
import type { Network, ResidencyClass, Site } from "./network.ts";
import { ANYWHERE, ZONES } from "./residency-class.ts";
import type { Zone } from "./residency-class.ts";

/** The parts of the network file that decide. */
export type ResidencyRules = Pick<Network, "sites" | "classes" | "country_groups">;

/** What is known of a caller: Cloudflare says "XX" for an unknown country, "T1" for Tor, sometimes nothing. */
export type CallerCountry = string | null | undefined;

export interface WithheldClass {
  readonly className: string;
  /** `caller`: not from this country, whatever the host name. `hostname`: another zone, or none, may carry it. */
  readonly reason: "caller" | "hostname";
  /** The zone whose host name would serve it, when a running edge site has one. */
  readonly alternateZone?: Zone;
}

export interface ServedClasses {
  readonly served: readonly string[];
  readonly notServed: readonly WithheldClass[];
}

/** May a copy of this class be at rest at this site? A site that the network file does not list may hold nothing. */
export function mayHold(
  network: ResidencyRules,
  className: string,
  site: Pick<Site, "id">,
  today = todayUtc(),
): boolean {
  const rules = classOf(network, className);
  const listed = network.sites.find((candidate) => candidate.id === site.id);
  if (rules === undefined || listed === undefined) return false;
  if (listed.kind === "edge") return listed.zone !== undefined && rules.store.zones.includes(listed.zone);
  return listed.country !== undefined && listsCountry(network, rules.store.countries, listed.country, today);
}

/** May content of this class pass through the memory of a Worker in this zone? */
export function mayPass(network: ResidencyRules, className: string, zone: string): boolean {
  const rules = classOf(network, className);
  return rules !== undefined && listsZone(rules.transit.zones, zone);
}

/** May a caller in this country read documents of this class? */
export function mayServe(
  network: ResidencyRules,
  className: string,
  callerCountry: CallerCountry,
  today = todayUtc(),
): boolean {
  const rules = classOf(network, className);
  return rules !== undefined && listsCountry(network, rules.serve.countries, callerCountry, today);
}

/** May a result that contains this class rest in the cache of this zone? */
export function mayCache(network: ResidencyRules, className: string, zone: string): boolean {
  const rules = classOf(network, className);
  return rules !== undefined && listsZone(rules.cache.zones, zone);
}

/** Splits the classes into those that this host name may answer this caller with, in the file's order, and those withheld. */
export function servedClasses(
  network: ResidencyRules,
  request: { readonly zone: string; readonly callerCountry: CallerCountry; readonly today?: string },
): ServedClasses {
  const today = request.today ?? todayUtc();
  const served: string[] = [];
  const notServed: WithheldClass[] = [];
  for (const className of Object.keys(network.classes)) {
    if (!mayServe(network, className, request.callerCountry, today)) {
      notServed.push({ className, reason: "caller" });
    } else if (mayPass(network, className, request.zone)) {
      served.push(className);
    } else {
      const alternateZone = zoneThatCarries(network, className);
      notServed.push({
        className,
        reason: "hostname",
        ...(alternateZone === undefined ? {} : { alternateZone }),
      });
    }
  }
  return { served, notServed };
}

function zoneThatCarries(network: ResidencyRules, className: string): Zone | undefined {
  const carrier = network.sites.find(
    (site) =>
      site.kind === "edge" &&
      site.running &&
      site.zone !== undefined &&
      mayPass(network, className, site.zone),
  );
  return carrier?.zone;
}

function classOf(network: ResidencyRules, className: string): ResidencyClass | undefined {
  return Object.hasOwn(network.classes, className) ? network.classes[className] : undefined;
}

function listsZone(zones: readonly string[], zone: string): boolean {
  return zones.includes(zone) && ZONES.some((known) => known === zone);
}

/** Entries that are neither a known group nor equal to the country match nothing, so a misspelt group refuses. */
function listsCountry(
  network: ResidencyRules,
  entries: readonly string[],
  country: CallerCountry,
  today: string,
): boolean {
  return entries.some((entry) => {
    if (entry === ANYWHERE) return true;
    if (typeof country !== "string") return false;
    if (!Object.hasOwn(network.country_groups, entry)) return entry === country;
    const group = network.country_groups[entry];
    if (group === undefined || !group.countries.includes(country)) return false;
    const until = group.until?.[country];
    return until === undefined || today <= until;
  });
}

function todayUtc(): string {
  return new Date().toISOString().slice(0, 10);
}
