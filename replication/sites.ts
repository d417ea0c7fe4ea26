/** The clients of every site that the network file names. */
import type { Network } from "@kattegat/config/network.ts";
import { createPrimary, type Primary } from "./primary.ts";
import { createRegionalTarget } from "./regional-target.ts";
import { createSiteClient, type Fetch } from "./site-client.ts";
import type { Target } from "./target.ts";

/** Running regional and edge sites, in the file's order; throws when one has no URL, all of them in one message. */
export function createSites(options: {
  readonly network: Network;
  readonly urls: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
  readonly authorization: (site: string) => Promise<string>;
}): { readonly primary: Primary; readonly targets: readonly Target[] } {
  const running = options.network.sites.filter((site) => site.running);
  const wanted = running.filter(({ kind }) => kind === "primary" || kind === "regional" || kind === "edge");
  const missing = wanted.filter(({ id }) => options.urls[id] === undefined).map(({ id }) => id);
  if (missing.length > 0) throw new Error(`KATTEGAT_SITES: expected a URL for each running site; missing: ${missing.join(", ")}`);
  const clientOf = (site: string) =>
    createSiteClient({ site, baseUrl: options.urls[site] ?? "", fetch: options.fetch, authorization: options.authorization });
  const primary = running.find(({ kind }) => kind === "primary");
  if (primary === undefined) throw new Error("The network file has no running primary.");
  const targets = wanted.flatMap(({ id, kind }): Target[] => (kind === "regional" ? [createRegionalTarget(clientOf(id))] : []));
  return { primary: createPrimary(clientOf(primary.id)), targets };
}
