/** The network between processes, with its faults. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { onAbort } from "./abort.ts";
import type { Clock } from "./clock.ts";
import type { Fault } from "./faults.ts";

/** A repetition comes so late that the sender has long gone on. */
const REPEAT_MS_MAX = 30_000;
const SLOW_MS_MAX = 5_000;

export interface Call {
  readonly from: string;
  readonly to: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export class Wire {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #faults: ReadonlySet<Fault>;
  /** Directions that are cut, as `from>to`. */
  readonly cut = new Set<string>();
  readonly slow = new Set<string>();
  isFaulty = true;
  /** How often each destination was drained. */
  readonly #drained = new Map<string, number>();

  constructor(options: {
    readonly clock: Clock;
    readonly random: () => number;
    readonly faults: ReadonlySet<Fault>;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.#faults = options.faults;
  }

  heal(): void {
    this.cut.clear();
    this.slow.clear();
    this.isFaulty = false;
  }

  /** Loses what is on its way to a destination, as waiting for it would. */
  drain(to: string): void {
    this.#drained.set(to, (this.#drained.get(to) ?? 0) + 1);
  }

  /** Resolves with the answer of `work`, which may be done once, twice, or not at all. */
  call<T>({ from, to, timeoutMs, signal }: Call, work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      let forget: (() => void) | null = null;
      const end = (act: () => void): void => {
        cancel();
        forget?.();
        act();
      };
      const fail = (code: "timeout" | "unavailable") => (): void =>
        end(() => reject(new KattegatError(code, `${to} does not answer`)));
      const aborted = fail("unavailable");
      const cancel = this.#clock.after(timeoutMs, fail("timeout"));
      if (signal.aborted) return aborted();
      forget = onAbort(signal, aborted);
      const answer = (act: () => void): void => {
        if (this.#isLost(to, from)) return this.#lose(fail("unavailable"));
        this.#clock.after(this.#delayMs(to), () => end(act));
      };
      const drained = this.#drained.get(to);
      const isDrained = (): boolean => this.#drained.get(to) !== drained;
      const deliver = (): void => {
        if (isDrained()) return this.#lose(fail("unavailable"));
        work().then(
          (value) => answer(() => resolve(value)),
          (error: unknown) => answer(() => reject(error)),
        );
      };
      if (this.#isLost(from, to)) return this.#lose(fail("unavailable"));
      this.#clock.after(this.#delayMs(to), deliver);
      if (this.#has("repeat", 0.05))
        this.#clock.after(this.#random() * REPEAT_MS_MAX, () => {
          if (!isDrained()) void work().catch(() => undefined);
        });
    });
  }

  #has(fault: Fault, share: number): boolean {
    return this.isFaulty && this.#faults.has(fault) && this.#random() < share;
  }

  #isLost(from: string, to: string): boolean {
    return this.cut.has(`${from}>${to}`) || this.#has("drop", 0.08);
  }

  /** A lost message is noticed soon, as a connection that broke, or not before the deadline. */
  #lose(fail: () => void): void {
    if (this.#random() < 0.7) this.#clock.after(this.#delayMs(""), fail);
  }

  #delayMs(to: string): number {
    if (this.slow.has(to)) return this.#random() * SLOW_MS_MAX;
    if (this.#has("delay", 0.3)) return this.#random() * 2_000;
    return 1 + this.#random() * 4;
  }
}
