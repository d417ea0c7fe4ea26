/** Describes one thing that a reviewer of the network should know. */
export interface Finding {
  /** `error`: must not be deployed. `warning`: should be mended. `note`: worth knowing, not counted as a finding by the exit code. */
  readonly severity: "error" | "warning" | "note";
  /** The file with the path in it: `config/network.yaml classes.eu`. */
  readonly where: string;
  readonly found: string;
  readonly write: string;
}
