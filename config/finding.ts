/** Describes one thing that a reviewer of the network should know. */
import { formatPath, formatReceived, type LocatedProblem } from "./problem.ts";

export interface Finding {
  /** `error`: must not be deployed. `warning`: should be mended. `note`: worth knowing, not counted as a finding by the exit code. */
  readonly severity: "error" | "warning" | "note";
  /** The file with the path in it: `config/network.yaml classes.eu`. */
  readonly where: string;
  readonly found: string;
  readonly write: string;
}

/** What keeps a file from being a network is the worst that a review can find. */
export function findingOfProblem(problem: LocatedProblem, { file }: { readonly file: string }): Finding {
  const line = problem.line === null ? "" : ` (line ${problem.line})`;
  return {
    severity: "error",
    where: `${file} ${formatPath(problem.path)}${line}`,
    found: `expected ${problem.expected}; ${formatReceived(problem.received)}`,
    write: problem.write,
  };
}
