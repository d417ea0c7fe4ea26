/** The warnings of the processes' logs, as far as a person at the terminal needs them. */

/** A service that warns ten times a second says the same each time. */
const REPEAT_MS_MIN = 30_000;
/** More different warnings than this are not remembered. */
const REMEMBERED_MAX = 200;

export interface WarningsOptions {
  readonly show: (name: string, text: string) => void;
  readonly nowMs: () => number;
  /** While processes come up one by one they miss each other; nobody need read that. */
  readonly quiet: () => boolean;
}

/** Passes a warning on, the same one at most twice a minute. */
export function createWarnings({
  show,
  nowMs,
  quiet,
}: WarningsOptions): (name: string, text: string) => void {
  const shownMs = new Map<string, number>();
  return (name, text) => {
    if (quiet()) return;
    const key = `${name}\0${text}`;
    const lastMs = shownMs.get(key);
    if (lastMs !== undefined && nowMs() - lastMs < REPEAT_MS_MIN) return;
    if (shownMs.size >= REMEMBERED_MAX) shownMs.clear();
    shownMs.set(key, nowMs());
    show(name, text);
  };
}
