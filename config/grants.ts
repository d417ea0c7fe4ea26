/** Lists everything that a network file allows, so that two files can be compared. */
import { USES } from "./conditions.ts";
import type { Day } from "./day.ts";
import { ALWAYS, NEVER } from "./day.ts";
import { PLACES } from "./narrowing.ts";
import type { Network } from "./network.ts";
import { ZONES } from "./residency-class.ts";
import { allowedUntil, cachedUntil, heldUntil, passedUntil } from "./residency.ts";
import { mayCarry } from "./tenants.ts";

/** Stands for every collection that no tenant has; no collection can have this name. */
const OTHER_COLLECTIONS = "*";

export const GRANT_KINDS = [
  ...USES,
  "site",
  "zone",
  "zone cache",
  "collection",
  "telemetry",
  "backup",
] as const;
export type GrantKind = (typeof GRANT_KINDS)[number];

export interface Grant {
  readonly kind: GrantKind;
  readonly className: string;
  /** The country, zone, site, collection or destination. */
  readonly place: string;
  /** The last day on which it is allowed, `ALWAYS` without an end. */
  readonly until: Day;
}

/** Each answer yes of each decision, of the classes at every place that there is; what is not here is refused. */
export function grantsOf(
  network: Network,
  { collections }: { readonly collections: readonly string[] },
): readonly Grant[] {
  return Object.keys(network.classes)
    .flatMap((className) => grantsOfClass(network, className, collections))
    .filter(({ until }) => until !== NEVER);
}

/** Collections that a comparison of networks must ask about. */
export function collectionsOf(...networks: readonly Pick<Network, "tenants">[]): readonly string[] {
  const named = networks.flatMap(({ tenants = {} }) =>
    Object.values(tenants).flatMap(({ collections }) => collections),
  );
  return [...new Set([...named, OTHER_COLLECTIONS])];
}

function grantsOfClass(
  network: Network,
  className: string,
  collections: readonly string[],
): readonly Grant[] {
  const grant = (kind: GrantKind, place: string, until: Day): Grant => ({ kind, className, place, until });
  const places = USES.flatMap((use) =>
    PLACES.map((place) => grant(use, place.name, allowedUntil(network, { className, use, place }))),
  );
  const sites = network.sites.map((site) => grant("site", site.id, heldUntil(network, className, site)));
  // Beside the zones of PLACES these ask for the zone's own operator.
  const zones = ZONES.flatMap((zone) => [
    grant("zone", zone, passedUntil(network, className, zone)),
    grant("zone cache", zone, cachedUntil(network, className, zone)),
  ]);
  const carried = collections
    .filter((collection) => mayCarry(network, collection, className))
    .map((collection) =>
      grant("collection", collection === OTHER_COLLECTIONS ? "collections of no tenant" : collection, ALWAYS),
    );
  const telemetry = (network.telemetry ?? [])
    .filter(({ classes }) => classes.includes(className))
    .map(({ name, signal, country, operator }) =>
      grant("telemetry", `${signal} to ${name} (${operator.name}, ${country})`, ALWAYS),
    );
  const backups = (network.backups ?? []).flatMap(({ name, of, country, replicas = [], operator }) =>
    heldUntil(network, className, { id: of }) === NEVER
      ? []
      : [country, ...replicas].map((to) => grant("backup", `${name} (${operator.name}, ${to})`, ALWAYS)),
  );
  return [...places, ...sites, ...zones, ...carried, ...telemetry, ...backups];
}
