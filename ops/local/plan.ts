/** The plan of the local network: which processes there are to be. */
import type { Network, Site } from "@kattegat/config/network.ts";
import type { CallerKey } from "@kattegat/protocol/site-token.ts";
import type { Settings } from "../settings.ts";
import type { ChildSpec } from "./child.ts";
import type { DataFolder } from "./folder.ts";

/** One row of the start-up log. */
export interface LocalProcess {
  readonly spec: ChildSpec;
  readonly site: string;
  readonly role: string;
  readonly url: string;
  /** Names of processes that must listen before this one starts. */
  readonly after: readonly string[];
  /** Base addresses whose `/readyz` say whether it can do its work. */
  readonly readiness: readonly string[];
}

/** Engines that somebody else runs. */
export interface ExternalEngine {
  readonly site: string;
  readonly role: string;
  readonly url: string;
}

export interface Plan {
  readonly processes: readonly LocalProcess[];
  readonly external: readonly ExternalEngine[];
  /** Zone → public address. */
  readonly edges: Readonly<Record<string, string>>;
  /** Site id → address, the replication included. */
  readonly sites: Readonly<Record<string, string>>;
}

export type Service = (
  name: string,
  script: string,
  heap: keyof typeof HEAP,
  environment: Readonly<Record<string, string>>,
) => ChildSpec;

export interface PlanOptions {
  readonly network: Network;
  readonly settings: Settings;
  readonly folder: DataFolder;
  readonly callers: readonly CallerKey[];
  readonly ports: ReadonlyMap<string, number>;
}

/** Heap limits in MiB: what a process needs at the tiers' default capacities, with room. A small young generation keeps an idle process small. */
export const HEAP = {
  primary: ["--max-old-space-size=4096", "--max-semi-space-size=64"],
  qdrant: ["--max-old-space-size=4096", "--max-semi-space-size=8"],
  regional: ["--max-old-space-size=512", "--max-semi-space-size=16"],
  replication: ["--max-old-space-size=1024", "--max-semi-space-size=16"],
  helper: ["--max-old-space-size=256", "--max-semi-space-size=2"],
} as const;

export function runningSites(network: Network, kind: Site["kind"]): readonly Site[] {
  return network.sites.filter((site) => site.running && site.kind === kind);
}

export function withoutPassword(url: string): string {
  return url.replace(/\/\/[^@/]*@/, "//");
}
