/** The state of the network as the primary knows it. */
import { TIER_NAMES, type Site, type TierName } from "@kattegat/config/network.ts";
import type { NetworkStatus, NextModel } from "@kattegat/protocol/network-status.ts";
import { changesBehind } from "@kattegat/protocol/sequence.ts";
import type { Placements } from "../documents/placements.ts";
import type { Primary } from "../primary.ts";
import { isSilent } from "./confirmations.ts";

export async function networkStatus(
  primary: Primary,
  siteUrls: Readonly<Record<string, string>>,
): Promise<NetworkStatus> {
  const { network, applied, statistics } = primary;
  const next = await nextStatus(primary);
  const { counts } = primary.memory();
  return {
    sequence: applied.head.fence.sequence,
    epoch: applied.head.fence.epoch,
    sites: network.sites.map((site) => siteStatus(site, primary, siteUrls)),
    tiers: TIER_NAMES.map((tier) => ({
      tier,
      documents: counts.documents(tier),
      passages: counts.passages(tier),
      capacity: network.tiers[tier].capacity,
      budget_ms: network.tiers[tier].budget_ms,
    })),
    classes: Object.entries(network.classes).map(([name, { store, transit, serve, cache }]) => ({
      name,
      store: [...store.countries, ...store.zones.map(zoneName)],
      transit: [...transit.countries, ...transit.zones.map(zoneName)],
      serve: [...serve.countries],
      cache: cache.zones.map(zoneName),
      documents: counts.documentsOfClass(name),
    })),
    model: { id: network.embedding.model, dimensions: network.embedding.dimensions },
    ...(next === null ? {} : { next }),
    policy: primary.placing.status,
    statistics_version: statistics.published?.version ?? null,
  };
}

async function nextStatus(primary: Primary): Promise<NextModel | null> {
  const { next, network, placements, site: own, applied, confirmations, memory } = primary;
  if (next === null) return null;
  const passages = TIER_NAMES.reduce((sum, tier) => sum + memory().counts.passages(tier), 0);
  const { model: id, dimensions } = next.model;
  const head = applied.head.fence.sequence;
  const sites = network.sites.filter((site) => site.running && tiersAt(site, placements).length > 0);
  return {
    id,
    dimensions,
    embedded: Math.max(0, passages - (await next.vectors.lacking())),
    passages,
    whole_at: next.vectors.wholeAt,
    sites: sites.map((site) => {
      const isOwn = site.id === own;
      const reason = isOwn ? next.missing : confirmations.nextMissing(site.id);
      const watermark = isOwn ? head : (confirmations.of(site.id, id)?.watermark.sequence ?? null);
      return {
        site: site.id,
        tiers: tiersAt(site, placements),
        watermark,
        lag_changes: watermark === null ? null : changesBehind(head, watermark),
        ready: reason === null,
        reason,
      };
    }),
    // Only an edge knows what it asks for.
    serves: false,
  };
}

const zoneName = (zone: string): string => `zone ${zone}`;

function siteStatus(
  site: Site,
  primary: Primary,
  siteUrls: Readonly<Record<string, string>>,
): NetworkStatus["sites"][number] {
  const { network, applied } = primary;
  const base = {
    id: site.id,
    kind: site.kind,
    country: site.country ?? null,
    city: site.city ?? null,
    tiers: tiersAt(site, primary.placements),
    url: siteUrls[site.id] ?? null,
  };
  const none = { epoch: null, watermark: null, lag_ms: null, lag_changes: null, parked: null };
  if (!site.running) return { ...base, ...none, health: "not_running" };
  const { fence } = applied.head;
  if (site.id === primary.site)
    return {
      ...base,
      health: "ok",
      epoch: fence.epoch,
      watermark: fence.sequence,
      lag_ms: 0,
      lag_changes: 0,
      parked: 0,
      ...comparedAt(primary, site.id),
    };
  const confirmed = primary.confirmations.of(site.id);
  if (confirmed === null) return { ...base, ...none, health: "unavailable" };
  const { watermark, parked, lag_ms } = confirmed;
  const health = isSilent(confirmed, primary.now())
    ? "unavailable"
    : lag_ms > network.limits.lag_ms_max
      ? "lagging"
      : "ok";
  return {
    ...base,
    health,
    epoch: watermark.epoch,
    watermark: watermark.sequence,
    lag_ms,
    lag_changes: changesBehind(fence.sequence, watermark.sequence),
    parked,
    ...comparedAt(primary, site.id),
  };
}

function comparedAt(
  { comparisons, now }: Primary,
  site: string,
): Pick<NetworkStatus["sites"][number], "comparison"> {
  const reported = comparisons.get(site);
  if (reported === undefined) return {};
  const { comparison, atMs } = reported;
  const reported_at = new Date(atMs).toISOString();
  return {
    comparison: { ...comparison, reported_at, report_age_ms: Math.max(0, Math.round(now() - atMs)) },
  };
}

/** The tiers of which the site holds copies of some class. */
function tiersAt(site: Site, placements: Placements): TierName[] {
  return TIER_NAMES.filter((tier) =>
    Object.keys(placements.network.classes).some((residency) =>
      placements.of(residency, tier).includes(site.id),
    ),
  );
}
