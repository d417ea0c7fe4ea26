/** Whether a target answers while nothing is written. */

/** With the bound on an answer this is well before the primary's and any caller's patience ends. */
const EVERY_MS = 3_000;
/** A target that applies a full batch may be busy for seconds; one that says nothing for longer serves nobody either. */
const ANSWER_MS_MAX = 5_000;

export interface Pulse {
  /** False from the first probe without an answer until the next with one. */
  answers(): boolean;
  /** Probes until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** A stream that waits for changes never touches its target, so that a dead one would look well for as long as nobody writes. */
export function createPulse(options: {
  readonly probe: (signal: AbortSignal) => Promise<unknown>;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Hears each change. */
  readonly changed: (answers: boolean, error: unknown) => void;
}): Pulse {
  let answers = true;
  return {
    answers: () => answers,
    async run(signal) {
      let late = new AbortController();
      let answered = new AbortController();
      // One listener for the whole run: signals made of two for each probe are several times as dear as the probe.
      const stop = (): void => {
        late.abort("stopped");
        answered.abort("stopped");
      };
      signal.addEventListener("abort", stop, { once: true });
      while (!signal.aborted) {
        await options.sleep(EVERY_MS, signal);
        if (signal.aborted) return;
        const probing = new AbortController();
        late = probing;
        answered = new AbortController();
        void options.sleep(ANSWER_MS_MAX, answered.signal).then(() => probing.abort("late"));
        const failure = await options.probe(probing.signal).then(
          () => null,
          (error: unknown) => ({ error }),
        );
        answered.abort("answered");
        if (signal.aborted || (failure === null) === answers) continue;
        answers = failure === null;
        options.changed(answers, failure?.error ?? null);
      }
    },
  };
}
