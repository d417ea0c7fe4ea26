/** How far what was withdrawn has left a target's disks, as the target says. */
import { compareFences, type Fence } from "@kattegat/protocol/sequence.ts";

/** A receipt waits for minutes of rewriting; this is little beside them. */
const EVERY_MS = 2_000;

export interface Removal {
  /** Null while the target does not say. */
  latest(): Fence | null;
  /** Asks until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

export function createRemoval(options: {
  readonly removed: (signal: AbortSignal) => Promise<Fence | null>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Hears each change. */
  readonly changed: () => void;
}): Removal {
  let latest: Fence | null = null;
  return {
    latest: () => latest,
    async run(signal) {
      while (!signal.aborted) {
        // The stream and its pulse tell of a target that does not answer.
        const found = await options.removed(signal).catch(() => null);
        const isNew =
          found === null ? latest !== null : latest === null || compareFences(found, latest) !== 0;
        latest = found;
        if (isNew && !signal.aborted) options.changed();
        await options.sleep(EVERY_MS, signal);
      }
    },
  };
}
