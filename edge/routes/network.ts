/** The state of the network: what the primary knows, with what this edge knows better. */
import { TIER_NAMES, type Site } from "@kattegat/config/network.ts";
import { placement } from "@kattegat/config/placement.ts";
import { mayPass } from "@kattegat/config/residency.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { networkStatusSchema, type NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { changesBehind } from "@kattegat/protocol/sequence.ts";
import type { Context, Hono } from "hono";
import { missingIn } from "../cold/cold-tier.ts";
import type { ManifestState } from "../cold/manifest-reader.ts";
import type { Edition } from "../edition.ts";
import type { Edge } from "../edge.ts";
import { allowOnly } from "../http/methods.ts";
import { within } from "../search/deadline.ts";
import { planSearch } from "../search/plan.ts";

/** A status that takes longer tells by that alone that the primary is not well. */
const STATUS_MS_MAX = 2_000;

export function networkRoutes(app: Hono, edge: Edge): void {
  app.get("/v1/network", async (context) => {
    await edge.admit(context, "search");
    const [status, manifests, primaryFault] = await Promise.all([
      primaryStatus(edge, context),
      manifestsOf(edge.serving),
      edge.primaryReadiness.fault(edge.requestContext(context)),
    ]);
    const own = withOwn(status ?? (await fallback(edge, context)), manifests, edge);
    const told = withSilent(own, edge, { isPrimaryReady: primaryFault === null });
    return context.json(await withNext(told, edge));
  });
  allowOnly(app, "/v1/network", ["GET"]);
}

async function primaryStatus(edge: Edge, context: Context): Promise<NetworkStatus | null> {
  try {
    const status = await edge.sites.ask(edge.primary, networkStatusSchema, {
      method: "GET",
      path: "/internal/network",
      signal: AbortSignal.timeout(STATUS_MS_MAX),
      context: edge.requestContext(context),
    });
    edge.knowledge.hear({ epoch: status.epoch, sequence: status.sequence });
    return status;
  } catch (error) {
    if (!(error instanceof KattegatError)) throw error;
    return null;
  }
}

/** What this edge's own buckets say of the model to come, and whether its searches ask for it. */
async function withNext(status: NetworkStatus, edge: Edge): Promise<NetworkStatus> {
  const { next, settings } = edge;
  if (status.next === undefined || next === null || status.next.id !== next.network.embedding.model)
    return status;
  const manifests = await manifestsOf(next);
  // Searches hear it from the sites themselves; where nobody searches, the primary's word is the latest.
  for (const { site, ready } of status.next.sites)
    if (!manifests.has(site)) edge.choice.hear(site, ready ? [status.next.id] : []);
  const sites = status.next.sites.map((site): NextSite => {
    const manifest = manifests.get(site.site)?.manifest;
    if (manifest === undefined) return site;
    const reason = missingIn(manifest, {
      network: settings.network,
      knowledge: edge.knowledge,
      now: edge.now,
    });
    const { sequence } = manifest.watermark;
    const lag = changesBehind(status.sequence, sequence);
    return { ...site, watermark: sequence, lag_changes: lag, ready: reason === null, reason };
  });
  const plan = planSearch(settings.network, {
    tiers: TIER_NAMES,
    served: Object.keys(settings.network.classes).filter((name) =>
      mayPass(settings.network, name, settings.zone),
    ),
    buckets: edge.serving.cold.sites,
    callerLocation: null,
    edgeSite: settings.site,
  });
  return { ...status, next: { ...status.next, sites, serves: edge.choice.isNextReady(plan) } };
}

type NextSite = NonNullable<NetworkStatus["next"]>["sites"][number];
type Manifests = ReadonlyMap<string, ManifestState | null>;

async function manifestsOf({ cold }: Edition): Promise<Manifests> {
  const read = cold.sites.map(async (site) => {
    const state = await within(
      cold.index(site)?.manifests.read() ?? Promise.resolve(null),
      STATUS_MS_MAX,
    ).catch(() => null);
    return [site, state] as const;
  });
  return new Map(await Promise.all(read));
}

/** The bucket itself says how far a cold index is, whatever replication last confirmed. */
function withOwn(status: NetworkStatus, manifests: Manifests, edge: Edge): NetworkStatus {
  const sites = status.sites.map((site): SiteStatus => {
    const zone = edge.settings.network.sites.find(({ id }) => id === site.id)?.zone;
    const url = zone === undefined ? site.url : (edge.settings.alternates.get(zone) ?? site.url);
    const state = manifests.get(site.id);
    if (state === undefined || state === null) return { ...site, url };
    const { watermark } = state.manifest;
    const isBehind = edge.knowledge.isBefore(watermark);
    const lagMs = isBehind ? Math.max(0, edge.now() - Date.parse(state.manifest.watermark_at)) : 0;
    return { ...site, url, epoch: watermark.epoch, watermark: watermark.sequence, lag_ms: lagMs };
  });
  return { ...status, sites };
}

/** What does not answer this edge is not well, whatever the primary last heard of it. */
function withSilent(
  status: NetworkStatus,
  edge: Edge,
  { isPrimaryReady }: { readonly isPrimaryReady: boolean },
): NetworkStatus {
  const isSilent = (id: string): boolean =>
    id === edge.primary ? !isPrimaryReady : edge.sites.stateOf(id).kind !== "closed";
  const sites = status.sites.map((site): SiteStatus =>
    site.health !== "not_running" && isSilent(site.id) ? { ...site, health: "unavailable" } : site,
  );
  return { ...status, sites };
}

type SiteStatus = NetworkStatus["sites"][number];

/** Without the primary: the network file, with what the sites say of themselves; counts are not known, so none are given. */
async function fallback(edge: Edge, context: Context): Promise<NetworkStatus> {
  const { network } = edge.settings;
  return {
    sequence: edge.knowledge.head.sequence,
    epoch: edge.knowledge.epoch(),
    sites: await Promise.all(network.sites.map((site) => siteStatus(edge, site, context))),
    tiers: [],
    classes: [],
    model: { id: network.embedding.model, dimensions: network.embedding.dimensions },
    policy: null,
    statistics_version: null,
  };
}

async function siteStatus(edge: Edge, site: Site, context: Context): Promise<SiteStatus> {
  const { network } = edge.settings;
  const isHere = edge.serving.cold.sites.includes(site.id);
  const answers = isHere || (site.running && (await isAlive(edge, site.id, context)));
  return {
    id: site.id,
    kind: site.kind,
    country: site.country ?? null,
    city: site.city ?? null,
    tiers: TIER_NAMES.filter((tier) =>
      Object.keys(network.classes).some((residency) =>
        placement({ residency, tier }, network).includes(site.id),
      ),
    ),
    health: !site.running ? "not_running" : answers ? "ok" : "unavailable",
    epoch: null,
    watermark: null,
    lag_ms: null,
    lag_changes: null,
    parked: null,
    url: edge.settings.sites.get(site.id) ?? null,
  };
}

/** A site is well when it says that it is ready, lag included. */
async function isAlive(edge: Edge, site: string, context: Context): Promise<boolean> {
  try {
    const response = await edge.sites.send(site, {
      method: "GET",
      path: "/readyz",
      signal: AbortSignal.timeout(STATUS_MS_MAX / 2),
      context: edge.requestContext(context),
    });
    await response.body?.cancel();
    return response.ok;
  } catch (error) {
    if (!(error instanceof KattegatError)) throw error;
    return false;
  }
}
