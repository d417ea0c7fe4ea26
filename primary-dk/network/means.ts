/** How each kind of site is rid of the bytes of a document: what receipts and the ledger say. */
import type { Network, SiteKind } from "@kattegat/config/network.ts";

const MEANS: Readonly<Record<SiteKind, string>> = {
  primary: "key destroyed, cold files made anew",
  standby: "key destroyed",
  regional: "vacuumed by Qdrant",
  edge: "objects rewritten and deleted, caches run out",
  archive: "objects deleted with all versions",
};

/** Of a site that the network file no longer names, only its copies' end is known. */
export function meansAt(network: Network, site: string): string {
  const kind = network.sites.find(({ id }) => id === site)?.kind;
  return kind === undefined ? "removed" : MEANS[kind];
}
