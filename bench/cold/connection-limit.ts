/** The bound on connections of one Worker invocation that wait for response headers. */

export interface ConnectionLimit {
  /** Runs the part of a read that waits for headers, as soon as a place is free; first come, first served. */
  run<T>(wait: () => Promise<T>): Promise<T>;
}

/** Makes the limit of one invocation; null switches it off. */
export function createConnectionLimit(waitingMax: number | null): ConnectionLimit {
  if (waitingMax === null) return { run: (wait) => wait() };
  const queue: (() => void)[] = [];
  let free = waitingMax;
  return {
    async run(wait) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => queue.push(resolve));
      try {
        return await wait();
      } finally {
        // A place goes straight to the one who waited longest, so that a newcomer cannot slip in between.
        const next = queue.shift();
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}

/**
 * Returns how long one parallel round of reads takes under the limit, reads starting in order: what `createConnectionLimit`
 * does with these waits, without waiting.
 */
export function roundMs(waitsMs: readonly number[], waitingMax: number | null): number {
  if (waitsMs.length === 0) return 0;
  const freeAtMs = new Array<number>(Math.min(waitingMax ?? waitsMs.length, waitsMs.length)).fill(0);
  for (const waitMs of waitsMs) {
    const earliest = freeAtMs.indexOf(Math.min(...freeAtMs));
    freeAtMs[earliest] = (freeAtMs[earliest] ?? 0) + waitMs;
  }
  return Math.max(...freeAtMs);
}
