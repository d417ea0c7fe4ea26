/** How a command reaches the network. */
import { existsSync, readFileSync } from "node:fs";
import type { Site } from "@kattegat/config/network.ts";
import { parseKey } from "@kattegat/protocol/key-file.ts";
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import type { Bucket } from "@kattegat/replication/archive/bucket.ts";
import { bucketOpener, type OpenBucket } from "@kattegat/replication/archive/open-bucket.ts";
import { InvalidArgumentError, type Command } from "commander";
import type { JWK } from "jose";
import { NoConnectionError, createClient, type Client } from "../client/client.ts";
import { operatorClients, type OperatorClient } from "../client/operator-client.ts";
import { archiveAccess } from "../local/archives.ts";
import { dataFolder } from "../local/folder.ts";
import { readRunningNetwork } from "../local/network-file.ts";
import { s3Name } from "../local/process-names.ts";
import { UsageError } from "../output/exit.ts";
import type { Settings } from "../settings.ts";

export interface ConnectionOptions {
  readonly url?: string;
  readonly keyFile?: string;
  readonly zone?: string;
}

/** Adds the options that every command with a network has. */
export function connectionOptions(command: Command): Command {
  return command
    .option("--url <url>", "the edge to ask (default: the local network's zone eu)", urlOf)
    .option("--key-file <path>", "the file that holds the key (default: <KATTEGAT_DATA>/keys/admin.key)");
}

/** @throws {UsageError} when there is no key, or no such zone. */
export function connect(settings: Settings, options: ConnectionOptions): Client {
  const folder = dataFolder(settings.data);
  const keyFile = options.keyFile ?? folder.adminKey;
  if (!existsSync(keyFile)) {
    throw new UsageError(
      `There is no key at ${keyFile}. Start the network first (npm start), or name another file with --key-file.`,
    );
  }
  return createClient({ url: addressOf(settings, options), key: readFileSync(keyFile, "utf8").trim() });
}

export interface OperatorOptions extends ConnectionOptions {
  readonly signingKey?: string;
}

/** Adds the options of commands that ask the primary beside the public contract. */
export function operatorOptions(command: Command): Command {
  return connectionOptions(command).option(
    "--signing-key <path>",
    "the operator's key for the primary (default: <KATTEGAT_DATA>/keys/ops.jwk)",
  );
}

/**
 * The primary as the operator asks it.
 *
 * @throws {UsageError} as `connect`, and when there is no key of the operator.
 * @throws {NoConnectionError} when the network does not tell where its primary is.
 */
export async function connectPrimary(settings: Settings, options: OperatorOptions): Promise<OperatorClient> {
  const client = connect(settings, options);
  const privateJwk = operatorKey(settings, options);
  const status = await client.network();
  const primary = status.sites.find(({ kind, health }) => kind === "primary" && health !== "not_running");
  const found = primary === undefined ? null : operatorClients(status, { privateJwk })(primary.id);
  if (found === null) throw new NoConnectionError("The network does not tell the address of its primary.");
  return found;
}

/** Every site as the operator asks it, by the addresses that the network tells. */
export interface OperatedNetwork {
  readonly status: () => Promise<NetworkStatus>;
  /** Null for a site without an address. */
  readonly site: (id: string) => OperatorClient | null;
  /** The bucket of an archive; null where nobody has named its server. */
  readonly bucket: (site: Site) => Bucket | null;
}

/** @throws {UsageError} as `connectPrimary`. */
export async function connectSites(settings: Settings, options: OperatorOptions): Promise<OperatedNetwork> {
  const client = connect(settings, options);
  const privateJwk = operatorKey(settings, options);
  return {
    status: () => client.network(),
    site: operatorClients(await client.network(), { privateJwk }),
    bucket: archiveBuckets(settings),
  };
}

/** The buckets of archives, by the addresses in the environment, else by those of the local network's own servers. */
export function archiveBuckets(settings: Settings): OpenBucket {
  const folder = dataFolder(settings.data);
  const running = readRunningNetwork(folder.network)?.processes ?? [];
  const embedded = running.flatMap(({ name, site, url }) =>
    name === s3Name(site) ? [[site, url] as const] : [],
  );
  const endpoints = { ...Object.fromEntries(embedded), ...Object.fromEntries(settings.archiveUrls) };
  if (Object.keys(endpoints).length === 0) return () => null;
  return bucketOpener({ endpoints, ...archiveAccess(settings, folder) });
}

function operatorKey(settings: Settings, options: OperatorOptions): JWK {
  const path = options.signingKey ?? dataFolder(settings.data).signingKey("ops");
  if (!existsSync(path)) throw new UsageError(`There is no signing key at ${path}.`);
  return parseKey(readFileSync(path, "utf8"), path);
}

function addressOf(settings: Settings, { url, zone }: ConnectionOptions): string {
  if (url !== undefined) return url;
  const edges = readRunningNetwork(dataFolder(settings.data).network)?.edges ?? {};
  if (zone !== undefined) {
    const found = edges[zone];
    if (found === undefined)
      throw new UsageError(
        `There is no edge in zone ${zone}; expected ${Object.keys(edges).join(" or ") || "a running network"}.`,
      );
    return found;
  }
  return edges["eu"] ?? `http://127.0.0.1:${settings.port}`;
}

function urlOf(text: string): string {
  const url = URL.parse(text);
  if (url === null || !url.protocol.startsWith("http"))
    throw new InvalidArgumentError("Expected an address such as http://127.0.0.1:8787.");
  return text.replace(/\/+$/, "");
}

/** A parser of whole numbers for an option. */
export function wholeNumber({
  min,
  max,
}: {
  readonly min: number;
  readonly max: number;
}): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    return value;
  };
}
