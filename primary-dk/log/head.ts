/** How far this process has applied its own log. */
import { compareSequences, type Fence } from "@kattegat/protocol/sequence.ts";

export interface LogHead {
  readonly fence: Fence;
  /** When the log was at the fence. */
  readonly at: string;
}

export class AppliedLog {
  #head: LogHead;
  readonly #waiting = new Set<() => void>();
  #released = false;

  constructor(head: LogHead) {
    this.#head = head;
  }

  get head(): LogHead {
    return this.#head;
  }

  advance(head: LogHead): void {
    this.#head = head;
    this.#wake();
  }

  /** Ends every wait, now or later, so that a stop is not held up. */
  release(): void {
    this.#released = true;
    this.#wake();
  }

  /** A waiter takes itself out of the set, which iteration allows. */
  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Resolves with whether the log passed `sequence` within the time; the abort ends the wait. */
  async waitFor(
    sequence: string,
    { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<boolean> {
    const isThere = (): boolean => compareSequences(this.#head.fence.sequence, sequence) >= 0;
    if (isThere() || timeoutMs <= 0 || this.#released || signal?.aborted === true) return isThere();
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const wake = (): void => {
        if (isThere() || this.#released) done();
      };
      const timer = setTimeout(done, timeoutMs);
      this.#waiting.add(wake);
      signal?.addEventListener("abort", done, { once: true });
    });
    return isThere();
  }
}
