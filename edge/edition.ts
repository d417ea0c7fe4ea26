/** What a search needs of one model. */
import type { Network } from "@kattegat/config/network.ts";
import type { ColdTier } from "./cold/cold-tier.ts";
import type { QueryEmbedder } from "./embedding/query-embedder.ts";

export interface Edition {
  /** As it is for this model. */
  readonly network: Network;
  readonly cold: ColdTier;
  readonly embedder: QueryEmbedder;
}
