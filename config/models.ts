/** The models of a network: the one that serves, the one that is being prepared. */
import type { Network } from "./network.ts";

export type Model = Omit<Network["embedding"], "next">;

/** Returns the models whose vectors every site holds, the serving one first. */
export function modelsOf({ embedding: { next, ...serving } }: Pick<Network, "embedding">): readonly Model[] {
  return next === undefined ? [serving] : [serving, next];
}

/** Returns the models of the copies that replication keeps at a site: an archive has no vectors, so the serving one stands for it. */
export function modelsAt(network: Network, siteId: string): readonly Model[] {
  const models = modelsOf(network);
  return network.sites.find(({ id }) => id === siteId)?.kind === "archive" ? models.slice(0, 1) : models;
}

/** Returns the network as it is for those who know one model alone. */
export function networkWith(network: Network, model: Model): Network {
  return { ...network, embedding: model };
}
