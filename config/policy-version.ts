/** Names the policy of a network file. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import canonicalize from "canonicalize";

import type { Network } from "./network.ts";

/** The sections that decide where a copy may be, or that say why; capacities, budgets and models do not. */
const POLICY_SECTIONS = [
  "sites",
  "country_groups",
  "classes",
  "tenants",
  "telemetry",
  "backups",
  "failover",
] as const satisfies readonly (keyof Network)[];

/** 64 bits: among a million versions of one network file, two share a name with probability 3e-8. */
const HEX_DIGITS = 16;

/** A file is read once, and asked for its policy by each part that decides by it. */
const versions = new WeakMap<object, string>();

/**
 * Returns the first 16 hexadecimal digits of the SHA-256 of those sections as canonical JSON (RFC 8785).
 *
 * Two processes that return the same decide the same on the same day: what depends on the day (a listing that expires) is in
 * the sections, the day is not. Order of keys and comments of the file change nothing.
 */
export function policyVersion(network: Pick<Network, (typeof POLICY_SECTIONS)[number]>): string {
  const known = versions.get(network);
  if (known !== undefined) return known;
  const sections = Object.fromEntries(POLICY_SECTIONS.map((name) => [name, network[name]]));
  const version = bytesToHex(sha256(utf8ToBytes(canonicalize(sections) ?? ""))).slice(0, HEX_DIGITS);
  versions.set(network, version);
  return version;
}
