/** The site's own check of the classes that an edge asks for. */
import type { Network, Site } from "@kattegat/config/network.ts";
import { mayHold, mayPass } from "@kattegat/config/residency.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";

/**
 * Returns the classes that may be here; what another site holds is not asked of this one.
 *
 * @throws {KattegatError} `residency_refused` when one may not pass through the zone that asks.
 */
export function searchableClasses(
  { network, site }: { readonly network: Network; readonly site: Site },
  { classes, zone }: { readonly classes: readonly string[]; readonly zone: string },
): readonly string[] {
  const refused = classes.filter((name) => !mayPass(network, name, zone));
  if (refused.length > 0) {
    throw new KattegatError(
      "residency_refused",
      `Documents of class ${refused.join(", ")} may not pass through the zone ${zone}.`,
    );
  }
  return classes.filter((name) => mayHold(network, name, site));
}
