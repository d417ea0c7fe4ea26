/** Where a command prints. */
import { createPainter, type Painter } from "./painter.ts";

export interface Terminal {
  /** Of the standard output. */
  readonly paint: Painter;
  /** Of the standard error, where progress and problems go. */
  readonly paintError: Painter;
  /** Whether a person watches the standard error. */
  readonly watched: boolean;
  /** One or several lines of the result. */
  print(text: string): void;
  /** One or several lines beside the result. */
  tell(text: string): void;
}

export function processTerminal(): Terminal {
  // oxlint-disable-next-line node/no-process-env -- NO_COLOR and TERM describe the terminal, which this file is about
  const environment = process.env;
  surviveLostReader(process.stdout);
  surviveLostReader(process.stderr);
  return {
    paint: createPainter({ terminal: process.stdout.isTTY === true, environment }),
    paintError: createPainter({ terminal: process.stderr.isTTY === true, environment }),
    watched: process.stderr.isTTY === true,
    print: (text) => void process.stdout.write(`${text}\n`),
    tell: (text) => void process.stderr.write(`${text}\n`),
  };
}

/** `… | head` ends before the writer does: what nobody reads any more is not written, and that is no fault. */
export function surviveLostReader(output: NodeJS.WritableStream): void {
  output.on("error", (error: Error) => {
    if (!("code" in error) || (error.code !== "EPIPE" && error.code !== "EIO")) throw error;
  });
}
