/** What a person sees of an ingest while it runs. */
import progressBars from "cli-progress";
import type { Terminal } from "../output/terminal.ts";

/** Rates are of the last so many milliseconds, so that a pause shows. */
const RATE_WINDOW_MS = 5_000;
/** Where nobody watches, a line of the log now and then. */
const LINE_MS = 10_000;
const BAR_STEPS = 1_000;

interface Counts {
  readonly documents: number;
  readonly passages: number;
  readonly refused: number;
}

export interface IngestProgress {
  /** How much of the source is read, from 0 to 1; null when its size is not known. */
  readonly position: (position: number | null) => void;
  readonly count: (counts: Counts) => void;
  readonly waiting: (reason: string, delayMs: number) => void;
  stop(): void;
}

export function createProgress(
  terminal: Terminal,
  { nowMs }: { readonly nowMs: () => number },
): IngestProgress {
  const startedMs = nowMs();
  const bar = terminal.watched
    ? new progressBars.SingleBar(
        { format: "{bar} {percentage} %  {text}", stream: process.stderr, hideCursor: true, barsize: 24 },
        progressBars.Presets.shades_classic,
      )
    : null;
  bar?.start(BAR_STEPS, 0, { text: "" });
  let at: number | null = null;
  let counts: Counts = { documents: 0, passages: 0, refused: 0 };
  let window = { ms: startedMs, documents: 0, passages: 0 };
  let rates = { documents: 0, passages: 0 };
  let lineMs = startedMs;
  let told = "";
  const show = (): void => {
    const ms = nowMs();
    const elapsedMs = ms - window.ms;
    if (elapsedMs >= RATE_WINDOW_MS || (rates.documents === 0 && elapsedMs > 500)) {
      const perSecond = (now: number, before: number): number =>
        Math.round(((now - before) / elapsedMs) * 1_000);
      rates = {
        documents: perSecond(counts.documents, window.documents),
        passages: perSecond(counts.passages, window.passages),
      };
      window = { ms, documents: counts.documents, passages: counts.passages };
    }
    const text = progressText(counts, rates, timeLeft(at, ms - startedMs));
    if (bar !== null) bar.update(Math.round((at ?? 0) * BAR_STEPS), { text });
    else if (ms - lineMs >= LINE_MS) {
      lineMs = ms;
      terminal.tell(at === null ? text : `${Math.round(at * 100)} %  ${text}`);
    }
  };
  return {
    position(position) {
      at = position === null ? null : Math.min(1, position);
    },
    count(now) {
      counts = { ...now };
      told = "";
      show();
    },
    waiting(reason, delayMs) {
      if (bar !== null) bar.update({ text: `${reason} Trying again in ${delayMs} ms.` });
      else if (told !== reason) terminal.tell(`${reason} Trying again.`);
      told = reason;
    },
    stop() {
      if (bar === null) return;
      bar.update(Math.round((at ?? 0) * BAR_STEPS), { text: progressText(counts, rates, null) });
      bar.stop();
    },
  };
}

function progressText(
  { documents, passages, refused }: Counts,
  rates: { readonly documents: number; readonly passages: number },
  left: string | null,
): string {
  const number = (value: number): string => value.toLocaleString("en");
  return [
    `${number(documents)} documents (${number(rates.documents)}/s)`,
    `${number(passages)} passages (${number(rates.passages)}/s)`,
    ...(refused === 0 ? [] : [`${number(refused)} refused`]),
    ...(left === null ? [] : [`${left} left`]),
  ].join(", ");
}

/** Null while there is too little to judge by. */
export function timeLeft(position: number | null, elapsedMs: number): string | null {
  if (position === null || position < 0.005 || position >= 1) return null;
  const seconds = Math.round(((elapsedMs / position) * (1 - position)) / 1_000);
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}
