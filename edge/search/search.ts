/** One search from a checked request to the answer. */
import { servedClasses } from "@kattegat/config/residency.ts";
import { emptyStatistics } from "@kattegat/engine/lexical/statistics.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { SearchRequest, SearchResponse } from "@kattegat/protocol/search.ts";
import type { ColdTier } from "../cold/cold-tier.ts";
import type { QueryEmbedder } from "../embedding/query-embedder.ts";
import type { SessionOptions } from "../cold/piece-reader.ts";
import { createSubrequests, type Subrequests } from "../cold/subrequests.ts";
import type { Caller } from "../http/caller.ts";
import type { Knowledge } from "../knowledge.ts";
import type { EdgeSettings } from "../settings.ts";
import type { RequestContext, SiteClient } from "../sites/site-client.ts";
import { within } from "./deadline.ts";
import { isComplete, type Outcome } from "./outcome.ts";
import { fusionOf } from "@kattegat/protocol/fusion.ts";
import { planSearch, type Ask, type Plan } from "./plan.ts";
import { prepareQuery, type PreparedQuery } from "./query.ts";
import { rankPage } from "./ranking.ts";
import { lateOutcome, orderedReports, withheldOutcome } from "./reports.ts";
import { askSite, type Question } from "./site-question.ts";
import { UNWEIGHED } from "./unweighed.ts";

/** What merging and reading of texts needs at the end of the time. */
const FINISH_MS = 20;
/** Texts are worth waiting for a little longer than the lists. */
const CONTENTS_MS_MIN = 50;
/** Of the time, what reading the term statistics may take; they are in memory but for the first search. */
const STATISTICS_SHARE = 0.5;
/** Of the time, what reading the rows of a query's words may take; a vector without some of them is better than none. */
const EMBEDDING_SHARE = 0.5;

export interface SearchParts {
  readonly settings: EdgeSettings;
  readonly sites: SiteClient;
  readonly cold: ColdTier;
  readonly embedder: QueryEmbedder;
  readonly knowledge: Knowledge;
  readonly now: () => number;
}

export interface SearchOptions {
  readonly caller: Caller;
  readonly context: RequestContext;
  /** Lets work go on after the answer. */
  readonly defer: (work: Promise<unknown>) => void;
  /** Hears of the answer as far as it is known, each time a site has answered. */
  readonly improved?: (response: SearchResponse) => Promise<void>;
}

export interface Answer {
  readonly response: SearchResponse;
  /** Base URL of the zone that would serve what this one may not carry. */
  readonly alternate: string | null;
}

/** @throws {KattegatError} for a query that cannot be prepared; what sites do never throws, it is reported. */
export async function search(
  parts: SearchParts,
  request: SearchRequest,
  options: SearchOptions,
): Promise<Answer> {
  const { settings } = parts;
  const startedAt = parts.now();
  const { served, notServed } = servedClasses(settings.network, {
    zone: settings.zone,
    callerCountry: options.caller.country,
  });
  const plan = planSearch(settings.network, {
    tiers: request.tiers,
    served,
    buckets: parts.cold.sites,
    callerLocation: options.caller.location,
    edgeSite: settings.site,
  });
  // A tail alone needs few; of an index that is not known yet the most is expected.
  const indexes = plan.asks.filter(
    ({ kind, site }) => kind === "cold" && parts.cold.index(site)?.manifests.held()?.manifest.base !== null,
  ).length;
  const subrequests = createSubrequests({ indexes });
  const query = await prepare(parts, request, {
    isSearched: plan.asks.some(({ site }) => site === parts.cold.sites[0]),
    startedAt,
    session: {
      colo: options.caller.colo,
      endsAt: startedAt + request.timeout_ms,
      defer: options.defer,
      subrequests,
    },
  });
  const withheld = notServed.map(({ className }) => className);
  const response = await answerPlan(
    parts,
    { request, plan, served, withheld, startedAt, subrequests, query },
    options,
  );
  options.defer(subrequests.finish());
  const zone = notServed.find(({ alternateZone }) => alternateZone !== undefined)?.alternateZone;
  return { response, alternate: zone === undefined ? null : (settings.alternates.get(zone) ?? null) };
}

async function prepare(
  parts: SearchParts,
  request: SearchRequest,
  {
    isSearched,
    startedAt,
    session,
  }: { readonly isSearched: boolean; readonly startedAt: number; readonly session: SessionOptions },
): Promise<PreparedQuery> {
  const statistics = await within(
    parts.cold.statistics.read(session, { isSearched }),
    request.timeout_ms * STATISTICS_SHARE,
  ).catch(() => null);
  const query = await within(
    prepareQuery(request, {
      network: parts.settings.network,
      embedder: parts.embedder,
      statistics: statistics ?? emptyStatistics(),
      session: { ...session, endsAt: startedAt + request.timeout_ms * EMBEDDING_SHARE },
    }),
    request.timeout_ms,
  );
  if (query === null)
    throw new KattegatError("timeout", "The embedding endpoint gave no vector in time.", {
      retryAfterSeconds: 1,
    });
  if (statistics !== null || query.lexical === null) return query;
  return { ...query, shortfall: [query.shortfall, UNWEIGHED].filter((reason) => reason !== null).join("; ") };
}

interface Task {
  readonly query: PreparedQuery;
  readonly request: SearchRequest;
  readonly plan: Plan;
  readonly served: readonly string[];
  readonly withheld: readonly string[];
  readonly startedAt: number;
  readonly subrequests: Subrequests;
}

async function answerPlan(parts: SearchParts, task: Task, options: SearchOptions): Promise<SearchResponse> {
  const { request, plan, startedAt } = task;
  const controller = new AbortController();
  const leftMs = (): number => startedAt + request.timeout_ms - parts.now();
  const outcomes: (Outcome | null)[] = plan.asks.map(() => null);
  const answer = (): Promise<SearchResponse> =>
    merge(parts, task, {
      outcomes: [withheldOutcome(plan.withheld), ...outcomes.filter((outcome) => outcome !== null)],
      leftMs,
      signal: controller.signal,
      options,
    });
  await Promise.all(
    plan.asks.map(async (ask, index) => {
      const waitMs = Math.max(1, Math.min(ask.waitMs, leftMs() - FINISH_MS));
      const question: Question = {
        request,
        query: task.query,
        model: parts.settings.network.embedding.model,
        zone: parts.settings.zone,
        colo: options.caller.colo,
        context: options.context,
        signal: controller.signal,
        startedAt,
        endsAt: parts.now() + waitMs,
        explain: request.explain,
        defer: options.defer,
        subrequests: task.subrequests,
      };
      outcomes[index] =
        (await within(askOne(parts, ask, question), waitMs + FINISH_MS)) ?? lateOutcome(ask, waitMs);
      if (options.improved !== undefined && outcomes.includes(null)) await options.improved(await answer());
    }),
  );
  const response = await answer();
  // Whatever still runs has nobody to hear it.
  controller.abort();
  return response;
}

async function merge(
  parts: SearchParts,
  task: Task,
  {
    outcomes,
    leftMs,
    signal,
    options,
  }: {
    readonly outcomes: readonly Outcome[];
    readonly leftMs: () => number;
    readonly signal: AbortSignal;
    readonly options: SearchOptions;
  },
): Promise<SearchResponse> {
  const { model } = parts.settings.network.embedding;
  const page = await rankPage(outcomes, { ...task, model, fusion: fusionOf(model) }, () => {
    const timeMs = Math.max(CONTENTS_MS_MIN, leftMs());
    return {
      sites: parts.sites,
      cold: parts.cold,
      zone: parts.settings.zone,
      classes: task.served,
      context: options.context,
      signal,
      timeMs,
      session: {
        colo: options.caller.colo,
        endsAt: parts.now() + timeMs,
        defer: options.defer,
        subrequests: task.subrequests,
      },
    };
  });
  const head = parts.knowledge.head.sequence;
  const { shortfall } = task.query;
  const tiers = orderedReports(outcomes, { silent: page.silent, head, shortfall });
  return {
    hits: [...page.hits],
    partial: shortfall !== null || tiers.some((report) => !isComplete(report)),
    tiers,
    not_served: [...task.withheld],
    sequence: head,
    took_ms: parts.now() - task.startedAt,
  };
}

function askOne(parts: SearchParts, ask: Ask, question: Question): Promise<Outcome> {
  return ask.kind === "cold" ? parts.cold.ask(ask, question) : askSite(parts, ask, question);
}
