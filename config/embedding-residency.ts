/** Decides from which residency classes an embedding may be trained. */
import type { Network } from "./network.ts";
import { mayCache, mayHold } from "./residency.ts";

export interface TrainingClasses {
  /** Classes whose words may stand in the artefact. */
  readonly taken: readonly string[];
  readonly leftOut: readonly {
    readonly className: string;
    /** Sites that receive the artefact and may not hold or cache this class. */
    readonly sites: readonly string[];
  }[];
}

/**
 * Returns the sites that would receive the artefact of an embedding trained from this class, and may not hold or cache the class.
 *
 * A trained embedding rests at the primary, in the bucket of every edge site and in that zone's cache. It holds words of
 * at least three passages with what stands beside them, so it is taken for a copy of what it was trained from. A site that
 * is declared but does not run yet counts too: it will receive the same artefact.
 */
export function sitesBarredFrom(network: Network, className: string): readonly string[] {
  return network.sites
    .filter(({ kind }) => kind === "primary" || kind === "edge")
    .filter((site) => !mayReceive(network, className, site))
    .map(({ id }) => id);
}

/** Returns those of the classes from which an embedding that comes to this site may not have been trained. */
export function barredFrom(
  network: Network,
  classes: readonly string[],
  site: Pick<Network["sites"][number], "id">,
): readonly string[] {
  const listed = network.sites.find(({ id }) => id === site.id);
  return classes.filter((className) => listed === undefined || !mayReceive(network, className, listed));
}

function mayReceive(
  network: Network,
  className: string,
  { id, zone }: Pick<Network["sites"][number], "id" | "zone">,
): boolean {
  return mayHold(network, className, { id }) && (zone === undefined || mayCache(network, className, zone));
}

/** Splits the classes, in the file's order. */
export function trainingClasses(network: Network): TrainingClasses {
  const refusals = Object.keys(network.classes).map((className) => ({
    className,
    sites: sitesBarredFrom(network, className),
  }));
  return {
    taken: refusals.filter(({ sites }) => sites.length === 0).map(({ className }) => className),
    leftOut: refusals.filter(({ sites }) => sites.length > 0),
  };
}
