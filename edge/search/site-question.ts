/** A search put to one site, or to those that stand in for it. */
import { encodeFloats, encodeIntegers } from "@kattegat/protocol/base64.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { SitedCandidate } from "@kattegat/protocol/fuse.ts";
import { candidateDepth, type SearchRequest, type TierReport } from "@kattegat/protocol/search.ts";
import {
  siteSearchResponseSchema,
  type Candidate,
  type SiteSearchRequest,
  type SiteSearchResponse,
} from "@kattegat/protocol/site-search.ts";
import type { Subrequests } from "../cold/subrequests.ts";
import type { Knowledge } from "../knowledge.ts";
import type { RequestContext, SiteClient } from "../sites/site-client.ts";
import { failureReports, isComplete, type Outcome } from "./outcome.ts";
import type { ModelChoice } from "./model-choice.ts";
import type { Ask } from "./plan.ts";
import type { PreparedQuery } from "./query.ts";

/** Less than a round trip inside Europe: asking would only cost the site. */
const ATTEMPT_MS_MIN = 15;
/** What the way there and back takes, so that a site answers `stale` before the edge stops waiting. */
const TRAVEL_MS = 20;
/** Texts of a deeper window are fetched for the hits alone; sending them all would cost more than the second round. */
const HYDRATED_MAX = 50;
/** The best of a fused page stand mostly within twice the window of some list. */
const HYDRATED_WINDOWS = 2;

export interface Question {
  readonly request: SearchRequest;
  readonly query: PreparedQuery;
  readonly model: string;
  readonly zone: string;
  /** The Cloudflare location that took the request. */
  readonly colo: string;
  readonly context: RequestContext;
  readonly signal: AbortSignal;
  /** Milliseconds, on the clock of `now`. */
  readonly startedAt: number;
  readonly endsAt: number;
  readonly explain: boolean;
  /** Lets work go on after the answer. */
  readonly defer: (work: Promise<unknown>) => void;
  /** Of the whole search, for its cold tier. */
  readonly subrequests: Subrequests;
}

/** Asks the nearest site, then its stand-ins while time is left; never throws for what a site did. */
export async function askSite(
  parts: {
    readonly sites: SiteClient;
    readonly knowledge: Knowledge;
    readonly choice: ModelChoice;
    readonly now: () => number;
  },
  ask: Ask,
  question: Question,
): Promise<Outcome> {
  const attempts = [ask.site, ...ask.standIns];
  const failed: TierReport[] = [];
  for (const [index, site] of attempts.entries()) {
    const from = parts.now();
    const leftMs = question.endsAt - from;
    if (leftMs < ATTEMPT_MS_MIN) {
      if (index === 0)
        failed.push(
          ...failureReports(site, ask.tiers, {
            status: "timeout",
            reason: "no time was left to ask it",
            tookMs: 0,
          }),
        );
      break;
    }
    // A site that hangs may use half of the time, so that its stand-in has the other half.
    const waitMs = Math.floor(index === attempts.length - 1 ? leftMs : leftMs / 2);
    try {
      const answer = await askOne(parts.sites, { site, ask, question, waitMs });
      parts.choice.hear(site, answer.ready);
      if (answer.model !== question.model)
        throw new KattegatError(
          "unavailable",
          `${site} holds no whole copies of the model ${question.model}.`,
        );
      for (const { watermark } of answer.tiers)
        parts.knowledge.hear({ epoch: answer.epoch, sequence: watermark });
      const outcome = outcomeOf(answer, { site, ask, question, tookMs: parts.now() - from });
      if (outcome.reports.some((report) => report.status !== "unavailable"))
        return standingIn(outcome, failed, ask);
      failed.push(...outcome.reports);
    } catch (error) {
      if (!(error instanceof KattegatError)) throw error;
      const status = error.code === "timeout" ? "timeout" : "unavailable";
      failed.push(
        ...failureReports(site, ask.tiers, { status, reason: error.message, tookMs: parts.now() - from }),
      );
    }
  }
  return { reports: failed, dense: [], lexical: [], places: new Map() };
}

async function askOne(
  sites: SiteClient,
  {
    site,
    ask,
    question,
    waitMs,
  }: { readonly site: string; readonly ask: Ask; readonly question: Question; readonly waitMs: number },
): Promise<SiteSearchResponse> {
  const { request, query } = question;
  const candidates = candidateDepth(request);
  const window = request.offset + request.limit;
  const body: SiteSearchRequest = {
    dense: query.dense === null ? null : encodeFloats(query.dense),
    lexical:
      query.lexical === null
        ? null
        : { indices: encodeIntegers(query.lexical.indices), values: encodeFloats(query.lexical.values) },
    model: question.model,
    filter: request.filter ?? null,
    collection: request.collection,
    classes: [...ask.classes],
    zone: question.zone,
    tiers: [...ask.tiers],
    group_by: request.group_by,
    candidates,
    hydrated: window > HYDRATED_MAX ? 0 : Math.min(candidates, HYDRATED_MAX, window * HYDRATED_WINDOWS),
    min_sequence: request.min_sequence ?? null,
    deadline_ms: Math.max(1, waitMs - TRAVEL_MS),
  };
  return sites.ask(site, siteSearchResponseSchema, {
    method: "POST",
    path: "/internal/search",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json" },
    signal: AbortSignal.any([question.signal, AbortSignal.timeout(waitMs)]),
    context: question.context,
  });
}

function outcomeOf(
  answer: SiteSearchResponse,
  {
    site,
    ask,
    question,
    tookMs,
  }: { readonly site: string; readonly ask: Ask; readonly question: Question; readonly tookMs: number },
): Outcome {
  const reports = ask.tiers.map((tier): TierReport => {
    const state = answer.tiers.find((candidate) => candidate.tier === tier);
    if (state === undefined) {
      return {
        tier,
        site,
        status: "unavailable",
        took_ms: tookMs,
        cache: "none",
        watermark: null,
        lag_ms: null,
        reason: `${site} did not answer for this tier`,
      };
    }
    return {
      tier,
      site,
      status: state.status,
      took_ms: tookMs,
      cache: "none",
      watermark: state.watermark,
      lag_ms: state.lag_ms,
      ...(state.status === "ok"
        ? question.explain
          ? { reason: ask.reason }
          : {}
        : { reason: reasonOf(state.status, question) }),
    };
  });
  return {
    reports,
    dense: sited(answer.dense, site, ask),
    lexical: sited(answer.lexical, site, ask),
    places: new Map(),
  };
}

function reasonOf(status: "stale" | "unavailable", question: Question): string {
  return status === "stale"
    ? `not yet at sequence ${question.request.min_sequence ?? "asked"}`
    : "the site says that this tier is not available";
}

/** What a site was not asked for is dropped, whatever it sent: a mistake there may not become a disclosure here. */
function sited(list: readonly Candidate[], site: string, ask: Ask): SitedCandidate[] {
  return list
    .filter(({ residency, tier }) => ask.classes.includes(residency) && ask.tiers.includes(tier))
    .map((candidate) => ({ ...candidate, site }));
}

function standingIn(outcome: Outcome, failed: readonly TierReport[], ask: Ask): Outcome {
  if (failed.length === 0) return outcome;
  const standIn = outcome.reports[0]?.site ?? "another site";
  return {
    ...outcome,
    reports: [
      ...failed.map((report) => ({
        ...report,
        reason: `${report.reason ?? report.status} (${standIn} stood in)`,
      })),
      ...outcome.reports.map((report) =>
        isComplete(report) ? { ...report, reason: `stands in for ${ask.site}` } : report,
      ),
    ],
  };
}
