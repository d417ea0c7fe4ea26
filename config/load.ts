/** Reads the text of a network file. */
import { PACKAGED_JURISDICTIONS, parseJurisdictions } from "./jurisdictions.ts";
import type { CountryGroups } from "./jurisdictions.ts";
import type { Network } from "./network.ts";
import type { Problem } from "./problem.ts";
import { validateNetwork } from "./validate.ts";
import { NetworkFileError, readYaml } from "./yaml-text.ts";

export interface NetworkFileOptions {
  /** The path of the file, for messages and for files that it names. */
  readonly file?: string;
  /** Reads a file that the network file names, by its path or by one that starts where `file` does. */
  readonly read?: (path: string) => string;
}

/**
 * Returns the network with the country groups of its jurisdictions, or throws a `NetworkFileError` that lists every problem.
 *
 * ```ts
 * const network = parseNetwork(await readFile(path, "utf8"), { file: path, read: (other) => readFileSync(other, "utf8") });
 * ```
 */
export function parseNetwork(
  yamlText: string,
  { file = "config/network.yaml", read }: NetworkFileOptions = {},
): Network {
  const { value, locate } = readYaml(yamlText, { file });
  const refuse = (problems: readonly Problem[]): never => {
    throw new NetworkFileError(file, locate(problems));
  };
  const named = jurisdictionsNamedBy(value);
  const jurisdictions =
    named === undefined ? PACKAGED_JURISDICTIONS : readNamed(named, { file, read, refuse });
  const validation = validateNetwork(value, jurisdictions);
  return validation.ok ? validation.network : refuse(validation.problems);
}

/** Undefined also when it is no text: that is a problem of the network file's shape. */
function jurisdictionsNamedBy(value: unknown): string | undefined {
  const named =
    typeof value === "object" && value !== null && "jurisdictions" in value ? value.jurisdictions : undefined;
  return typeof named === "string" && named !== "" ? named : undefined;
}

function readNamed(
  named: string,
  {
    file,
    read,
    refuse,
  }: {
    readonly file: string;
    readonly read: NetworkFileOptions["read"] | undefined;
    readonly refuse: (problems: readonly Problem[]) => never;
  },
): CountryGroups {
  const path = named.startsWith("/") ? named : `${file.slice(0, file.lastIndexOf("/") + 1)}${named}`;
  let text: string | undefined;
  try {
    text = read?.(path);
  } catch {
    // Told below with its path: an error of the file system names neither this file nor what to write.
  }
  if (text !== undefined) return parseJurisdictions(text, { file: path });
  return refuse([
    {
      path: ["jurisdictions"],
      expected: `a file of country groups at ${path}`,
      received: named,
      write:
        "the path of one, relative to this file, or nothing: then the one that comes with Kattegat counts",
    },
  ]);
}
