/** The pace at which a site's copies are read over and over. */
import type { SiteDigests } from "./site-digests.ts";

/** The store may be starting again. */
const AFTER_FAILURE_MS = 5_000;

export interface ScrubOptions {
  readonly digests: Pick<SiteDigests, "scrub">;
  readonly pointsPerSecond: number;
  /** A pass lasts so long at least: a small store is not read all the time. */
  readonly passMsMin: number;
  /** Whether the site has something more urgent to do. */
  readonly isBusy: () => boolean;
  readonly now: () => number;
  /** Resolves after the time, or early and quietly when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/** A share of the shortest pass: a site that starts has better to do. */
const FIRST_WAIT_SHARE = 0.25;
/** Of the pace, while the site is busy: changes are waited for, and go first. */
const BUSY_SHARE = 0.1;

/** Scrubs until the signal aborts. */
export async function runScrub(options: ScrubOptions, signal: AbortSignal): Promise<void> {
  await options.sleep(FIRST_WAIT_SHARE * options.passMsMin, signal);
  let passAtMs = options.now();
  while (!signal.aborted) {
    const startedMs = options.now();
    try {
      const { points, isPassOver } = await options.digests.scrub();
      const pace = options.pointsPerSecond * (options.isBusy() ? BUSY_SHARE : 1);
      const dueAtMs = startedMs + (points / pace) * 1_000;
      const nextAtMs = isPassOver ? Math.max(dueAtMs, passAtMs + options.passMsMin) : dueAtMs;
      await options.sleep(Math.max(0, nextAtMs - options.now()), signal);
      if (isPassOver) passAtMs = options.now();
    } catch (error) {
      options.failed(error);
      await options.sleep(AFTER_FAILURE_MS, signal);
      passAtMs = options.now();
    }
  }
}
