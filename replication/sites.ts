/** The clients of every site that the network file names. */
import { modelsOf, type Model } from "@kattegat/config/models.ts";
import type { Network, Site } from "@kattegat/config/network.ts";
import { mayHold } from "@kattegat/config/residency.ts";
import { createArchive } from "./archive/archive.ts";
import type { ArchiveScrub } from "./archive/archive-scrub.ts";
import type { OpenBucket } from "./archive/open-bucket.ts";
import { createEdge, type EdgeOptions } from "./edge.ts";
import type { ComparedSite } from "./entropy/keeper.ts";
import { createMeter } from "./entropy/meter.ts";
import { createHeldSource, createPlannedSource, createRepairer, type Repairer } from "./entropy/source.ts";
import { createProbe } from "./probe.ts";
import { createPrimary, type Primary } from "./primary.ts";
import { createRegionalTarget } from "./regional-target.ts";
import { createSiteClient, type Fetch, type SiteClient } from "./site-client.ts";
import type { Target } from "./target.ts";

/**
 * Running regionals, edges and archives, in the file's order, those that are searched once for every model; throws when one has no URL,
 * all of them in one message.
 */
export function createSites(options: {
  readonly network: Network;
  readonly urls: Readonly<Record<string, string>>;
  readonly fetch: Fetch;
  readonly authorization: (site: string) => Promise<string>;
  readonly cold: Omit<EdgeOptions, "client" | "network" | "model" | "primary">;
  readonly random: () => number;
  /** Null for an archive whose server nobody has named. */
  readonly bucketOf: OpenBucket;
}): {
  readonly primary: Primary;
  readonly targets: readonly Target[];
  readonly compared: readonly ComparedSite[];
  /** Archives, which nobody else reads over and over. */
  readonly scrubs: readonly ArchiveScrub[];
  readonly repairer: Repairer;
} {
  const { network, urls, fetch, authorization } = options;
  const running = network.sites.filter((site) => site.running);
  const wanted = running.filter(({ kind }) => kind === "primary" || kind === "regional" || kind === "edge");
  const missing = wanted.filter(({ id }) => urls[id] === undefined).map(({ id }) => id);
  if (missing.length > 0)
    throw new Error(`KATTEGAT_SITES: expected a URL for each running site; missing: ${missing.join(", ")}`);
  const clientOf = (site: string): SiteClient =>
    createSiteClient({ site, baseUrl: urls[site] ?? "", fetch, authorization });
  const primarySite = running.find(({ kind }) => kind === "primary");
  if (primarySite === undefined) throw new Error("The network file has no running primary.");
  const primaryClient = clientOf(primarySite.id);
  const primary = createPrimary(primaryClient);
  const targetOf = ({ id, kind }: Site, model: Model): Target[] => {
    const client = clientOf(id);
    const parts = { ...options.cold, client, network, primary };
    if (kind === "regional") return [createRegionalTarget({ ...parts, model: model.model })];
    if (kind !== "edge") return [];
    // Reading its watermark as a target waits for the manifest's turn; the route beside it does not.
    return [{ ...createEdge({ ...parts, model }), probe: createProbe(client) }];
  };
  const archives = running
    .filter(({ kind }) => kind === "archive")
    .map((site) => createArchive(site, { ...options.cold, ...options, primary: primaryClient }));
  const targets = modelsOf(network).flatMap((model) => wanted.flatMap((site) => targetOf(site, model)));
  const compared = wanted
    .filter(({ kind }) => kind === "regional" || kind === "edge")
    .map((site) => comparedSite(site, { network, primary: primaryClient, client: clientOf(site.id) }));
  return {
    primary,
    targets: [...targets, ...archives.map(({ target }) => target)],
    compared: [...compared, ...archives.map((archive) => archive.compared)],
    scrubs: archives.map(({ scrub }) => scrub),
    repairer: createRepairer(primaryClient),
  };
}

/** The copies of the model that serves: those of one that is being prepared are compared once it does. */
function comparedSite(
  site: Site,
  {
    network,
    primary,
    client,
  }: { readonly network: Network; readonly primary: SiteClient; readonly client: SiteClient },
): ComparedSite {
  const exchanged = createMeter();
  return {
    planned: createPlannedSource(primary, site.id, exchanged.metered),
    // A Worker reads its bucket when it is told to; a regional does so on its own.
    held: createHeldSource(client, {
      model: network.embedding.model,
      isTold: site.kind === "edge",
      metered: exchanged.metered,
    }),
    mayHold: (className) => mayHold(network, className, site),
    bytes: exchanged.bytes,
    scrubbedBytes: () => 0,
  };
}
