/** The term statistics that this isolate weighs queries by. */
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { ColdFormatError } from "@kattegat/engine/cold/segment.ts";
import {
  decodeStatistics,
  emptyStatistics,
  type TermStatistics,
} from "@kattegat/engine/lexical/statistics.ts";
import type { Attempt } from "./bucket-attempt.ts";
import type { ColdIndex } from "./cold-index.ts";
import type { SessionOptions } from "./piece-reader.ts";

export interface StatisticsShelf {
  /**
   * The table that the index's manifest names, empty before the first; rejects when it cannot be read.
   *
   * @param options.isSearched - whether the index is searched then: its base is opened meanwhile.
   */
  read(session: SessionOptions, options: { readonly isSearched: boolean }): Promise<TermStatistics>;
}

export function createStatisticsShelf(options: {
  /** Null where no bucket is bound. */
  readonly index: ColdIndex | null;
  readonly attempt: Attempt;
  readonly report: (error: unknown) => void;
}): StatisticsShelf {
  const { index, attempt, report } = options;
  let known: TermStatistics | null = null;

  async function fetched(
    named: { readonly key: string; readonly checksum: string },
    { bucket }: ColdIndex,
    session: SessionOptions,
  ): Promise<TermStatistics> {
    const bytes = await attempt(async () => {
      const object = await session.subrequests.connections.hold(bucket.get(named.key));
      return object === null ? null : new Uint8Array(await object.arrayBuffer());
    }, session);
    if (bytes === null || crc32c(bytes) !== Number.parseInt(named.checksum, 16))
      throw new ColdFormatError("expected the table that the manifest names, got none or another");
    return decodeStatistics(bytes);
  }

  return {
    async read(session, { isSearched }) {
      if (index === null) return emptyStatistics();
      const held = index.manifests.held()?.manifest.statistics ?? null;
      // A table that is a second old weighs the same to the last digits that anybody sees.
      if (known !== null && known.version === held?.version) return known;
      const state = await index.manifests.read({ limits: session });
      const named = state?.manifest.statistics ?? null;
      if (state !== null && isSearched) session.defer(index.open(state, session));
      if (named === null) return emptyStatistics();
      if (known?.version === named.version) return known;
      try {
        known = await fetched(named, index, session);
      } catch (error) {
        report(error);
        // The last table weighs nearly the same; no table at all does not, so the answer has to say so.
        if (known === null) throw error;
      }
      return known;
    },
  };
}
