/** The generation that this isolate answers from. */
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import type { BaseShelf } from "./base-shelf.ts";
import type { ManifestState } from "./manifest-reader.ts";
import type { SessionOptions } from "./piece-reader.ts";

/**
 * How long a publication may be left out while its base is opened. With the second for which a manifest is believed, what
 * was erased is shown no longer than two; the objects of the generation before stay a minute (`GARBAGE_AGE_MS_MIN`).
 */
const HELD_MS_MAX = 1_000;

export interface Serving {
  /**
   * Returns the newest state, or the one before it while the newest one's base is being opened for others.
   *
   * @param options.sequence - what the answer must know of; null when any generation will do.
   */
  of(
    newest: ManifestState,
    options: { readonly sequence: string | null; readonly session: SessionOptions },
  ): ManifestState;
}

export function createServing(options: {
  readonly bases: BaseShelf;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}): Serving {
  const { bases, now, report } = options;
  let held: ManifestState | null = null;
  let opening: { readonly key: string; readonly sinceMs: number } | null = null;

  return {
    of(newest, { sequence, session }) {
      const { base } = newest.manifest;
      if (held === null || base === null || bases.find(base.key) !== null) {
        held = newest;
        return newest;
      }
      if (opening?.key !== base.key && bases.hasRoomFor(base)) {
        opening = { key: base.key, sinceMs: now() };
        // For those who come later; a request may not wait for what another one reads.
        session.defer(bases.open(base, session).catch(report));
      }
      const isInTime = opening?.key === base.key && now() - opening.sinceMs < HELD_MS_MAX;
      const isEnough = sequence === null || compareSequences(held.manifest.watermark.sequence, sequence) >= 0;
      return isInTime && isEnough ? held : newest;
    },
  };
}
