/** A person's wish that the command ends. */

export interface Interruption {
  /** Aborts at the first SIGINT or SIGTERM; a second one ends the process at once. */
  readonly signal: AbortSignal;
  /** For a command with nothing to finish: from now on a signal ends the process, one that came already too. */
  release(): void;
}

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

export function listenForInterruption(): Interruption {
  const stopping = new AbortController();
  let came: NodeJS.Signals | null = null;
  const stop = (signal: NodeJS.Signals): void => {
    came = signal;
    stopping.abort(new Error("stopped"));
    ignore();
  };
  const ignore = (): void => {
    for (const name of SIGNALS) process.off(name, stop);
  };
  for (const name of SIGNALS) process.on(name, stop);
  return {
    signal: stopping.signal,
    release() {
      ignore();
      if (came !== null) process.kill(process.pid, came);
    },
  };
}
