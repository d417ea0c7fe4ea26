/** Time that passes only when it is told to. */

/** In 2027, so that dates look like dates. */
export const START_MS = 1_800_000_000_000;

interface Due {
  readonly atMs: number;
  action: (() => void) | null;
}

export class Clock {
  /** In order of time; those of one time in order of arrival. */
  #due: Due[] = [];
  #nowMs = START_MS;

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Returns what calls the action off. */
  after(ms: number, action: () => void): () => void {
    const due: Due = { atMs: this.#nowMs + Math.max(0, ms), action };
    let from = 0;
    let to = this.#due.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#due[middle]?.atMs ?? Infinity) <= due.atMs) from = middle + 1;
      else to = middle;
    }
    this.#due.splice(from, 0, due);
    return () => {
      due.action = null;
    };
  }

  /** Resolves after the time, or early when the signal aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        signal?.removeEventListener("abort", end);
        resolve();
      };
      const cancel = this.after(ms, end);
      signal?.addEventListener("abort", end, { once: true });
    });
  }

  /** Does what is due next; resolves with whether there was anything, once all that followed from it has happened. */
  async step(): Promise<boolean> {
    let due = this.#due.shift();
    while (due !== undefined && due.action === null) due = this.#due.shift();
    if (due === undefined) return false;
    this.#nowMs = due.atMs;
    due.action?.();
    await settled();
    return true;
  }
}

/**
 * Resolves when no promise is left that could go on by itself: nothing in a simulation waits for the machine.
 *
 * What is asked for in a microtask comes as the next tick once there are no more microtasks, which takes a tenth of what a
 * turn of the event loop does.
 */
function settled(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
}
