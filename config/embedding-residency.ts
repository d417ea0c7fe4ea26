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
 * Splits the classes, in the file's order.
 *
 * A trained embedding rests at the primary, in the bucket of every edge site and in that zone's cache. It holds words of
 * at least three passages with what stands beside them, so it is taken for a copy of what it was trained from. A site that
 * is declared but does not run yet counts too: it will receive the same artefact.
 */
export function trainingClasses(network: Network): TrainingClasses {
  const receivers = network.sites.filter(({ kind }) => kind === "primary" || kind === "edge");
  const refusals = Object.keys(network.classes).map((className) => ({
    className,
    sites: receivers
      .filter(
        (site) =>
          !mayHold(network, className, site) ||
          (site.zone !== undefined && !mayCache(network, className, site.zone)),
      )
      .map(({ id }) => id),
  }));
  return {
    taken: refusals.filter(({ sites }) => sites.length === 0).map(({ className }) => className),
    leftOut: refusals.filter(({ sites }) => sites.length > 0),
  };
}
