/** Reads the network file that a command works on. */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseNetwork } from "@kattegat/config/load.ts";
import type { Network } from "@kattegat/config/network.ts";
import { UsageError } from "./output/exit.ts";
import { ROOT, type Settings } from "./settings.ts";

export interface ConfiguredNetwork {
  readonly network: Network;
  /** The path as the user wrote it, for messages. */
  readonly shown: string;
}

/** Without a file, the one of the settings. @throws {UsageError}, {NetworkFileError} */
export function readNetwork(
  { configShown }: Pick<Settings, "configShown">,
  file?: string,
): ConfiguredNetwork {
  const shown = file ?? configShown;
  // A file on the command line is named from where the user stands, the settings' from the repository.
  const absolute = (path: string): string => (file === undefined ? resolve(ROOT, path) : resolve(path));
  const path = absolute(shown);
  if (!existsSync(path)) throw new UsageError(`There is no network file at ${shown}.`);
  const network = parseNetwork(readFileSync(path, "utf8"), {
    file: shown,
    read: (other) => readFileSync(absolute(other), "utf8"),
  });
  return { network, shown };
}
