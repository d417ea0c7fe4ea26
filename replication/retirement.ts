/** The end of copies whose model nobody names any more. */
import { modelsOf } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { FeedHead } from "@kattegat/protocol/changes.ts";

export interface Retirement {
  /** Hears which models the primary has. */
  heard(head: Pick<FeedHead, "models">): void;
  /** Drops what neither the network file nor the primary names, once for each such set of names. Resolves with whether anything was asked for. */
  round(signal: AbortSignal): Promise<boolean>;
  /** Whether nothing is left to be dropped, as far as is known. */
  hasEnded(): boolean;
}

/** A site that still names a model keeps its copies until it is restarted, which nobody needs to hear of each second. */
const RETRY_MS = 10_000;

/** The primary has to agree: while it still serves a model, its copies stay, whatever this process's network file says. */
export function createRetirement(options: {
  readonly network: Network;
  readonly now: () => number;
  /** Resolves with whether all is gone that is of none of the models; may be repeated. */
  readonly retire: (kept: readonly string[], signal: AbortSignal) => Promise<boolean>;
}): Retirement {
  const named = modelsOf(options.network).map(({ model }) => model);
  let wanted: string | null = null;
  let done: string | null = null;
  let kept: readonly string[] = [];
  let tried: { readonly names: string; readonly atMs: number } | null = null;
  return {
    hasEnded: () => wanted !== null && wanted === done,
    heard({ models }) {
      if (models === undefined) return;
      kept = [...new Set([...named, ...models])].toSorted();
      wanted = JSON.stringify(kept);
    },
    async round(signal) {
      const isEarly = tried?.names === wanted && options.now() - (tried?.atMs ?? 0) < RETRY_MS;
      if (wanted === null || wanted === done || isEarly) return false;
      const round = wanted;
      tried = { names: round, atMs: options.now() };
      if (await options.retire(kept, signal)) done = round;
      return true;
    },
  };
}
