/** The pace at which a site's copies are read over and over. */
import type { SiteDigests } from "./site-digests.ts";

/** The store may be starting again. */
const AFTER_FAILURE_MS = 5_000;
/** An empty store is looked at as often as that. */
const PAUSE_MS_MIN = 200;

export interface ScrubOptions {
  readonly digests: Pick<SiteDigests, "scrub">;
  readonly pointsPerSecond: number;
  readonly now: () => number;
  /** Resolves after the time, or early and quietly when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/** Scrubs until the signal aborts. */
export async function runScrub(options: ScrubOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const startedMs = options.now();
    try {
      const points = await options.digests.scrub();
      const dueMs = (points / options.pointsPerSecond) * 1_000;
      const leftMs = dueMs - (options.now() - startedMs);
      await options.sleep(points === 0 ? PAUSE_MS_MIN : Math.max(0, leftMs), signal);
    } catch (error) {
      options.failed(error);
      await options.sleep(AFTER_FAILURE_MS, signal);
    }
  }
}
