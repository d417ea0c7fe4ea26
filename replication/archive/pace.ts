/** How fast an archive is brought its copies: nobody waits for them, but for deletions, which take no turn here. */
import { performance } from "node:perf_hooks";

/** Of this process's time; a machine that is busy shows in it, too, since the process waits for a core meanwhile. */
const UTILIZATION_MAX = 0.3;
const WINDOW_MS = 100;
const GAP_MS_MIN = 1;
/** Twenty documents a second, however busy. */
const GAP_MS_MAX = 50;

export interface Pace {
  /** Resolves when the next document may be sent. */
  turn(signal: AbortSignal): Promise<void>;
}

export interface PaceOptions {
  readonly now: () => number;
  /** Share of the time since the last call in which the process was busy, 0 to 1. */
  readonly utilization: () => number;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Doubles the gap between two documents while the process is busy, and halves it while it is not. */
export function createPace({ now, utilization, sleep }: PaceOptions): Pace {
  let gapMs = 0;
  let windowMs = now();
  let nextMs = windowMs;
  return {
    async turn(signal) {
      const askedMs = now();
      if (askedMs - windowMs >= WINDOW_MS) {
        gapMs = gapAfter(gapMs, utilization() > UTILIZATION_MAX);
        windowMs = askedMs;
      }
      const turnMs = Math.max(askedMs, nextMs);
      nextMs = turnMs + gapMs;
      if (turnMs > askedMs) await sleep(turnMs - askedMs, signal);
    },
  };
}

function gapAfter(gapMs: number, isBusy: boolean): number {
  if (isBusy) return Math.min(GAP_MS_MAX, Math.max(GAP_MS_MIN, gapMs * 2));
  return gapMs > GAP_MS_MIN ? gapMs / 2 : 0;
}

/** The utilization of this thread's event loop, each time since the call before. */
export function loopUtilization(): () => number {
  let last = performance.eventLoopUtilization();
  return () => {
    const next = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(next, last);
    last = next;
    return utilization;
  };
}
