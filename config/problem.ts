/** Describes one thing that is wrong in a configuration file, in words that say how to mend it. */

export type PathStep = string | number;

export interface Problem {
  readonly path: readonly PathStep[];
  /** Completes "expected …". */
  readonly expected: string;
  /** What the file says instead; `undefined` when it says nothing. */
  readonly received: unknown;
  /** Completes "write …". */
  readonly write: string;
  /** True when `path` names a key that should not be there, rather than a value that is wrong. */
  readonly atKey?: boolean;
}

export interface LocatedProblem extends Problem {
  /** Line in the file, counted from 1; `null` when the file could not be read that far. */
  readonly line: number | null;
}

/** Long values are cut, since a value may be a whole section; the longest sentence of the YAML reader is shorter. */
const RECEIVED_CHARACTERS_MAX = 120;

/** Writes `sites[2].country`, or `the file` for the whole of it. */
export function formatPath(path: readonly PathStep[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text === "" ? "the file" : text;
}

export function formatProblem(problem: LocatedProblem): string {
  const line = problem.line === null ? "" : ` (line ${problem.line})`;
  return `${formatPath(problem.path)}${line}: expected ${problem.expected}; ${formatReceived(problem.received)}. Write ${problem.write}`;
}

/** Writes `found …`, or that nothing is there. */
export function formatReceived(received: unknown): string {
  if (received === undefined) return "nothing is there";
  // A text is cut before it is quoted, so that its quotation is closed.
  if (typeof received === "string") return `found ${JSON.stringify(cut(received))}`;
  return `found ${cut(JSON.stringify(received) ?? String(received))}`;
}

function cut(text: string): string {
  return text.length > RECEIVED_CHARACTERS_MAX ? `${text.slice(0, RECEIVED_CHARACTERS_MAX)}…` : text;
}
