/** One search from a checked request to the answer. */
import { servedClasses } from "@kattegat/config/residency.ts";
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import type { SearchRequest, SearchResponse, TierReport } from "@kattegat/protocol/search.ts";
import { laterSequence, SEQUENCE_ZERO } from "@kattegat/protocol/sequence.ts";
import type { ColdTier } from "../cold/cold-tier.ts";
import type { Caller } from "../http/caller.ts";
import type { EdgeSettings } from "../settings.ts";
import type { RequestContext, SiteClient } from "../sites/site-client.ts";
import { within } from "./deadline.ts";
import { failureReports, isComplete, type Outcome } from "./outcome.ts";
import { planSearch, type Ask } from "./plan.ts";
import { prepareQuery } from "./query.ts";
import { rankPage } from "./ranking.ts";
import { askSite, type Question } from "./site-question.ts";

/** What merging and reading of texts needs at the end of the time. */
const FINISH_MS = 20;
/** Texts are worth waiting for a little longer than the lists. */
const CONTENTS_MS_MIN = 50;

export interface SearchParts {
  readonly settings: EdgeSettings;
  readonly sites: SiteClient;
  readonly cold: ColdTier;
  readonly embedder: Embedder;
  readonly now: () => number;
}

export interface Answer {
  readonly response: SearchResponse;
  /** Base URL of the zone that would serve what this one may not carry. */
  readonly alternate: string | null;
}

/** `improved` hears of the answer as far as it is known, each time a site has answered. */
export async function search(
  parts: SearchParts,
  request: SearchRequest,
  {
    caller,
    context,
    improved,
  }: {
    readonly caller: Caller;
    readonly context: RequestContext;
    readonly improved?: (response: SearchResponse) => Promise<void>;
  },
): Promise<Answer> {
  const { settings, cold, now } = parts;
  const startedAt = now();
  const { served, notServed } = servedClasses(settings.network, {
    zone: settings.zone,
    callerCountry: caller.country,
  });
  const query = await prepareQuery(request, {
    network: settings.network,
    embedder: parts.embedder,
    statistics: await cold.statistics().catch(() => emptyOnFailure()),
  });
  const plan = planSearch(settings.network, {
    tiers: request.tiers,
    served,
    buckets: cold.sites,
    callerLocation: caller.location,
    edgeSite: settings.site,
  });
  const controller = new AbortController();
  const outcomes: Outcome[] = [
    { reports: withheldReports(plan.withheld), dense: [], lexical: [], places: new Map() },
  ];
  const leftMs = (): number => startedAt + request.timeout_ms - now();
  const answer = async (): Promise<SearchResponse> => {
    const page = await rankPage(outcomes, { request, query }, () => ({
      sites: parts.sites,
      cold,
      zone: settings.zone,
      classes: served,
      context,
      signal: controller.signal,
      timeMs: Math.max(CONTENTS_MS_MIN, leftMs()),
    }));
    const reports = outcomes
      .flatMap((outcome) => outcome.reports)
      .map((report) => (page.silent.has(report.site) && report.status === "ok" ? silenced(report) : report));
    return {
      hits: [...page.hits],
      partial: reports.some((report) => !isComplete(report)),
      tiers: withoutIdleLag(reports),
      not_served: notServed.map(({ className }) => className),
      sequence: reports.reduce(
        (highest, { watermark }) => laterSequence(highest, watermark ?? SEQUENCE_ZERO),
        SEQUENCE_ZERO,
      ),
      took_ms: now() - startedAt,
    };
  };
  await Promise.all(
    plan.asks.map(async (ask) => {
      const waitMs = Math.max(1, Math.min(ask.waitMs, leftMs() - FINISH_MS));
      const question: Question = {
        request,
        query,
        model: settings.network.embedding.model,
        zone: settings.zone,
        context,
        signal: controller.signal,
        startedAt,
        endsAt: now() + waitMs,
        explain: request.explain,
      };
      outcomes.push((await within(askOne(parts, ask, question), waitMs + FINISH_MS)) ?? late(ask, waitMs));
      if (improved !== undefined && outcomes.length <= plan.asks.length) await improved(await answer());
    }),
  );
  const response = await answer();
  const zone = notServed.find(({ alternateZone }) => alternateZone !== undefined)?.alternateZone;
  return { response, alternate: zone === undefined ? null : (settings.alternates.get(zone) ?? null) };
}

function askOne(parts: SearchParts, ask: Ask, question: Question): Promise<Outcome> {
  return ask.kind === "cold"
    ? parts.cold.ask(ask, question)
    : askSite({ sites: parts.sites, now: parts.now }, ask, question);
}

function emptyOnFailure(): { readonly version: string; readonly passages: number; df(): number } {
  return { version: "none", passages: 0, df: () => 1 };
}

function late(ask: Ask, waitMs: number): Outcome {
  return {
    reports: failureReports(ask.site, ask.tiers, {
      status: "timeout",
      reason: `no answer within ${Math.round(waitMs)} ms`,
      tookMs: waitMs,
    }),
    dense: [],
    lexical: [],
    places: new Map(),
  };
}

function withheldReports(
  withheld: readonly { readonly tier: TierReport["tier"]; readonly site: string; readonly reason: string }[],
): TierReport[] {
  return withheld.flatMap(({ tier, site, reason }) =>
    failureReports(site, [tier], { status: "not_permitted", reason, tookMs: 0 }),
  );
}

function silenced(report: TierReport): TierReport {
  return { ...report, status: "unavailable", reason: "its texts could not be read" };
}

/** A copy at the head of the log has no lag, however long ago the last write was. */
function withoutIdleLag(reports: readonly TierReport[]): TierReport[] {
  const head = reports.reduce(
    (highest, { watermark }) => laterSequence(highest, watermark ?? SEQUENCE_ZERO),
    SEQUENCE_ZERO,
  );
  return reports.map((report) => (report.watermark === head ? { ...report, lag_ms: 0 } : report));
}
