/** Time that passes only when it is told to. */

import { onAbort } from "./abort.ts";

/** In 2027, so that dates look like dates. */
export const START_MS = 1_800_000_000_000;

/** Seldom enough to cost nothing; weak references are let go of at no other time, and other work of the thread waits for it. */
const STEPS_A_TURN = 100;

interface Due {
  readonly atMs: number;
  action: (() => void) | null;
}

export class Clock {
  /** The next one last: most are due soon, so that few others have to make room. Of one time, the first to arrive is next. */
  readonly #due: Due[] = [];
  #nowMs = START_MS;
  #steps = 0;

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
      if ((this.#due[middle]?.atMs ?? 0) > due.atMs) from = middle + 1;
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
        forget?.();
        resolve();
      };
      const cancel = this.after(ms, end);
      const forget = signal === undefined ? null : onAbort(signal, end);
    });
  }

  /**
   * Does what is due, one after the other, for as long as `goesOn` says after each, which is asked once all that followed from it
   * has happened: once no promise is left that could go on by itself, since nothing in a simulation waits for the machine.
   *
   * What is asked for in a microtask comes as the next tick when there are no more microtasks, which takes a tenth of what a turn
   * of the event loop does.
   */
  run(goesOn: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const act = (): void => {
        if (!this.#act()) return resolve();
        this.#steps += 1;
        if (this.#steps % STEPS_A_TURN === 0) setImmediate(settled);
        else queueMicrotask(settle);
      };
      const settle = (): void => process.nextTick(settled);
      const settled = (): void => {
        try {
          if (goesOn()) act();
          else resolve();
        } catch (error) {
          reject(error);
        }
      };
      act();
    });
  }

  /** Does what is due next; returns whether there was anything. */
  #act(): boolean {
    let due = this.#due.pop();
    while (due !== undefined && due.action === null) due = this.#due.pop();
    if (due === undefined) return false;
    this.#nowMs = due.atMs;
    due.action?.();
    return true;
  }
}
