/** The pace at which a store's copies are read over and over. */

/** The store may be starting again. */
const AFTER_FAILURE_MS = 5_000;

export interface ScrubOptions {
  /** Resolves with how much was read, in the unit of the pace. */
  readonly scrub: (signal: AbortSignal) => Promise<{ readonly count: number; readonly isPassOver: boolean }>;
  readonly perSecond: number;
  /** A pass lasts so long at least: a small store is not read all the time. */
  readonly passMsMin: number;
  /** Whether there is something more urgent to do. */
  readonly isBusy: () => boolean;
  readonly now: () => number;
  /** Resolves after the time, or early and quietly when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly failed: (error: unknown) => void;
}

/** A share of the shortest pass: a process that starts has better to do. */
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
      const { count, isPassOver } = await options.scrub(signal);
      const pace = options.perSecond * (options.isBusy() ? BUSY_SHARE : 1);
      const dueAtMs = startedMs + (count / pace) * 1_000;
      const nextAtMs = isPassOver ? Math.max(dueAtMs, passAtMs + options.passMsMin) : dueAtMs;
      await options.sleep(Math.max(0, nextAtMs - options.now()), signal);
      if (isPassOver) passAtMs = options.now();
    } catch (error) {
      if (!signal.aborted) options.failed(error);
      await options.sleep(AFTER_FAILURE_MS, signal);
      passAtMs = options.now();
    }
  }
}
