/** What opens the objects of an archive: the primary's keyring with its root key. */
import { existsSync } from "node:fs";
import type { Network } from "@kattegat/config/network.ts";
import { ErasureList } from "@kattegat/primary-dk/sealing/erasure-list.ts";
import { Keyring, KeyringError, keyringFolder } from "@kattegat/primary-dk/sealing/keyring.ts";
import { RecordOpener } from "@kattegat/primary-dk/sealing/sealed-record.ts";
import type { Command } from "commander";
import { dataFolder } from "../local/folder.ts";
import { UsageError } from "../output/exit.ts";
import type { Settings } from "../settings.ts";

export interface OpenerOptions {
  readonly keyring?: string;
  readonly rootKey?: string;
}

/** Adds the options that name the keys. */
export function openerOptions(command: Command): Command {
  return command
    .option("--keyring <folder>", "the primary's keyring (default: <KATTEGAT_DATA>/sites/<primary>/keys)")
    .option("--root-key <path>", "the file with the root key (default: <KATTEGAT_DATA>/keys/root.key)");
}

/** Of the keyring as it is now: an erasure replaces keys of it. @throws {UsageError} */
export function archiveOpener(network: Network, settings: Settings, options: OpenerOptions): RecordOpener {
  const data = dataFolder(settings.data);
  const primary = network.sites.find(({ kind, running }) => kind === "primary" && running);
  const folder = options.keyring ?? keyringFolder(data.site(primary?.id ?? ""));
  const rootKeyFile = options.rootKey ?? data.rootKey;
  if (!Keyring.exists({ folder })) throw new UsageError(`There is no keyring in ${folder}.`);
  if (!existsSync(rootKeyFile)) throw new UsageError(`There is no root key at ${rootKeyFile}.`);
  try {
    const ring = Keyring.read({ folder, rootKeyFile });
    const erased = new ErasureList(folder).documents();
    return new RecordOpener(ring, { model: network.embedding.model, erased });
  } catch (error) {
    throw error instanceof KeyringError ? new UsageError(error.message, { cause: error }) : error;
  }
}
