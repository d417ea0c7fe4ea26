/** The models of a network: the one that serves, the one that is being prepared. */
import type { Network } from "./network.ts";

export type Model = Omit<Network["embedding"], "next">;

/** Returns the models whose vectors every site holds, the serving one first. */
export function modelsOf({ embedding: { next, ...serving } }: Pick<Network, "embedding">): readonly Model[] {
  return next === undefined ? [serving] : [serving, next];
}

/** Returns the network as it is for those who know one model alone. */
export function networkWith(network: Network, model: Model): Network {
  return { ...network, embedding: model };
}
