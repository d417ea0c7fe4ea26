/** The names of the local network's processes. */
import type { Network } from "@kattegat/config/network.ts";
import type { Settings } from "../settings.ts";
import { runningSites } from "./plan.ts";

export const EDGE = "edge";
export const REPLICATION = "replication";
export const POSTGRES = "postgres";

export function qdrantName(site: string): string {
  return `qdrant-${site}`;
}

export function s3Name(site: string): string {
  return `s3-${site}`;
}

/** Whether others keep their data in it. */
export function isStore(name: string): boolean {
  return name === POSTGRES || name.startsWith(qdrantName("")) || name.startsWith(s3Name(""));
}

/** Every process that `npm start` runs for this network file, in the order in which they get their ports. */
export function processNames(
  network: Network,
  { databaseUrl, qdrantUrls, archiveUrls }: Pick<Settings, "databaseUrl" | "qdrantUrls" | "archiveUrls">,
): readonly string[] {
  const idsOf = (kind: "primary" | "regional" | "archive"): readonly string[] =>
    runningSites(network, kind).map(({ id }) => id);
  const regionals = idsOf("regional");
  return [
    ...idsOf("primary"),
    ...regionals,
    REPLICATION,
    ...regionals.filter((id) => !qdrantUrls.has(id)).map(qdrantName),
    ...idsOf("archive")
      .filter((id) => !archiveUrls.has(id))
      .map(s3Name),
    ...(databaseUrl === null ? [POSTGRES] : []),
    EDGE,
  ];
}
