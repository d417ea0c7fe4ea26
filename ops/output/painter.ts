/** Colours on a terminal. */
import pc from "picocolors";

export interface Painter {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
}

/** Colours only where a person sees them; `NO_COLOR` (no-color.org) switches them off. */
export function createPainter({
  terminal,
  environment,
}: {
  readonly terminal: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Painter {
  const wanted = terminal && (environment["NO_COLOR"] ?? "") === "" && environment["TERM"] !== "dumb";
  return pc.createColors(wanted);
}
