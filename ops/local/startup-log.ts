/** The start-up log on the terminal. */
import type { Painter } from "../output/painter.ts";

/** A progress line that is not a terminal's is repeated this seldom. */
const PROGRESS_STEP = 0.25;

export interface StartupRow {
  readonly site: string;
  readonly role: string;
  readonly url: string;
  readonly tookMs: number | null;
}

export interface StartupLog {
  say(text: string): void;
  row(row: StartupRow): void;
  notice(name: string, text: string): void;
  progress(label: string, done: number, total: number): void;
  ready(url: string, keyPath: string): void;
}

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export function createStartupLog(
  output: Output,
  { paint, nowMs }: { readonly paint: Painter; readonly nowMs: () => number },
): StartupLog {
  const startedMs = nowMs();
  let shownStep = 0;
  let openLine = false;
  const at = (): string => paint.dim(`${((nowMs() - startedMs) / 1_000).toFixed(1).padStart(5)} s`);
  const line = (text: string): void => {
    if (openLine) output.write("\n");
    openLine = false;
    output.write(`${text}\n`);
  };
  return {
    say: (text) => line(`${at()}  ${text}`),
    row: ({ site, role, url, tookMs }) =>
      line(
        `${at()}  ${paint.bold(site.padEnd(21))} ${role.padEnd(16)} ${url}${tookMs === null ? "" : paint.dim(`  ${Math.round(tookMs)} ms`)}`,
      ),
    notice: (name, text) => line(`${at()}  ${paint.yellow(name)}: ${text}`),
    progress(label, done, total) {
      const text = `${at()}  ${label} ${done} of ${total}`;
      if (output.isTTY === true) {
        output.write(`\r\u001b[K${text}`);
        openLine = done < total;
        if (!openLine) output.write("\n");
        return;
      }
      const step = Math.floor(done / total / PROGRESS_STEP);
      if (step > shownStep) line(text);
      shownStep = done >= total ? 0 : step;
    },
    ready: (url, keyPath) => line(`ready ${url} key ${keyPath}`),
  };
}
