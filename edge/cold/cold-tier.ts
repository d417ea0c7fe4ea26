/** The cold indexes that this edge has buckets of. */
import { mayCache, mayHold } from "@kattegat/config/residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { SitedCandidate } from "@kattegat/protocol/fuse.ts";
import type { PassageContent } from "@kattegat/protocol/site-search.ts";
import { candidateDepth } from "@kattegat/protocol/search.ts";
import type { ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import { failureReports, passageKey, type Outcome } from "../search/outcome.ts";
import type { Knowledge } from "../knowledge.ts";
import type { Ask } from "../search/plan.ts";
import type { Question } from "../search/site-question.ts";
import type { ColdCandidate, ColdPlace } from "./cold-candidates.ts";
import type { ColdIndex } from "./cold-index.ts";
import type { ColdQuery } from "./cold-query.ts";
import { beginSearch, searchIndex, type BegunSearch, type IndexFinding } from "./cold-search.ts";
import type { ManifestState } from "./manifest-reader.ts";
import type { Attempt } from "./bucket-attempt.ts";
import { SEARCH_BYTES_MAX, type SessionOptions } from "./piece-reader.ts";
import type { ResultCache } from "./result-cache.ts";
import { createStatisticsShelf, type StatisticsShelf } from "./statistics-shelf.ts";
import { SUBREQUESTS_MAX } from "./subrequests.ts";

/** Between two looks for a sequence that has not come yet. */
const POLL_MS = 100;
/** What waiting for a sequence leaves for the search. */
const KEPT_AFTER_POLLS = 15;

export interface ColdTier {
  readonly sites: readonly string[];
  index(site: string): ColdIndex | null;
  /** Those that the zone's own manifest names. */
  readonly statistics: StatisticsShelf;
  ask(ask: Ask, question: Question): Promise<Outcome>;
  /** Whether a search may ask for it instead of the model that serves, by what is known: whole, as fresh as a site has to be. */
  isReady(site: string): boolean;
  read(
    site: string,
    places: readonly (ColdPlace | null)[],
    session: SessionOptions,
  ): Promise<(PassageContent | null | undefined)[]>;
}

export interface ColdTierOptions {
  /** The zone's own index first. */
  readonly indexes: readonly ColdIndex[];
  readonly results: ResultCache;
  /** As it is for the model of these indexes. */
  readonly network: Network;
  /** Whether the model is only being prepared: then copies that are not whole are not searched. */
  readonly isNext: boolean;
  readonly knowledge: Knowledge;
  readonly zone: string;
  readonly attempt: Attempt;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
  readonly sleep: (timeMs: number) => Promise<void>;
}

export function createColdTier(options: ColdTierOptions): ColdTier {
  const indexes = new Map(options.indexes.map((index) => [index.site, index]));

  return {
    sites: [...indexes.keys()],
    index: (site) => indexes.get(site) ?? null,
    statistics: createStatisticsShelf({ ...options, index: options.indexes[0] ?? null }),
    async ask(ask, question) {
      const startedAt = options.now();
      const index = indexes.get(ask.site);
      const failed = (status: "stale" | "unavailable", reason: string): Outcome => ({
        reports: failureReports(ask.site, ask.tiers, { status, reason, tookMs: options.now() - startedAt }),
        dense: [],
        lexical: [],
        places: new Map(),
      });
      if (index === undefined) return failed("unavailable", "its bucket is not bound here");
      try {
        const asking = askingOf(index, { ask, question, options });
        const begun = begin(index, asking);
        const state = await reached(index, question, options);
        if (state === null)
          return failed(
            question.request.min_sequence === null ? "unavailable" : "stale",
            "no generation has been published yet",
          );
        if (state.manifest.model !== options.network.embedding.model && state.manifest.generation > 0) {
          return failed("unavailable", `its vectors are of the model ${state.manifest.model}`);
        }
        const missing = options.isNext ? missingIn(state.manifest, options) : null;
        if (missing !== null) return failed("unavailable", missing);
        options.knowledge.hear(state.manifest.watermark);
        const sequence = question.request.min_sequence ?? null;
        const served = index.serving.of(state, { sequence, session: asking.session });
        const found = await searchIndex(index, served, asking.query, { ...asking, begun });
        return outcomeOf(found, { index, state: served, ask, question, options, startedAt });
      } catch (error) {
        options.report(error);
        return failed("unavailable", "object storage did not give a manifest that can be read");
      }
    },
    isReady(site) {
      const manifest = indexes.get(site)?.manifests.held()?.manifest;
      return manifest !== undefined && missingIn(manifest, options) === null;
    },
    async read(site, places, session) {
      const index = indexes.get(site);
      if (index === undefined) return places.map(() => null);
      return index.read(places, { state: index.manifests.held(), session });
    },
  };
}

/** Why the copies of a model to come may not be searched; null when they may. */
export function missingIn(
  { generation, whole_at: wholeAt, watermark, watermark_at: at, statistics }: ColdManifest,
  { network, knowledge, now }: Pick<ColdTierOptions, "network" | "knowledge" | "now">,
): string | null {
  if (generation === 0) return "its copies have not begun";
  if (wholeAt === undefined) return "passages are still being embedded";
  if (compareSequences(watermark.sequence, wholeAt) < 0)
    return `its copies are at sequence ${watermark.sequence} of ${wholeAt}`;
  if (statistics === null) return "its term statistics have not come";
  const lagMs = now() - Date.parse(at);
  const isLate = knowledge.isBefore(watermark) && lagMs > network.limits.lag_ms_max;
  return isLate ? `its copies are ${Math.round(lagMs)} ms behind` : null;
}

/** The newest manifest, or the first that has the sequence asked for while there is time. */
async function reached(
  index: ColdIndex,
  question: Question,
  { now, sleep }: ColdTierOptions,
): Promise<ManifestState | null> {
  const wanted = question.request.min_sequence ?? null;
  const limits = sessionOf(question);
  let state = await index.manifests.read({ limits, defer: limits.defer });
  const hasTime = (): boolean =>
    now() + POLL_MS < question.endsAt && limits.subrequests.allowance(KEPT_AFTER_POLLS) > 0;
  while (wanted !== null && isBefore(state, wanted) && hasTime()) {
    await sleep(POLL_MS);
    state = await index.manifests.read({ ageMsMax: POLL_MS, limits });
  }
  return state;
}

function sessionOf({ colo, endsAt, defer, subrequests }: Question): SessionOptions {
  return { colo, endsAt, defer, subrequests };
}

function isBefore(state: ManifestState | null, sequence: string): boolean {
  return state === null || compareSequences(state.manifest.watermark.sequence, sequence) < 0;
}

/** What an answer with this finding is worth. */
function standing(
  { failed, leftOut }: IndexFinding,
  { lag, details }: { readonly lag: string | null; readonly details: readonly string[] },
): { readonly status: "ok" | "stale" | "unavailable"; readonly reason: string } {
  if (failed > 0) {
    const limits = `${leftOut} of them beyond the ${SUBREQUESTS_MAX} subrequests and ${SEARCH_BYTES_MAX} bytes of one search`;
    const lost = `${failed} segments or pieces of the index could not be read`;
    return { status: "unavailable", reason: leftOut > 0 ? `${lost}, ${limits}` : lost };
  }
  if (lag !== null) return { status: "stale", reason: lag };
  return { status: "ok", reason: details.join("; ") };
}

interface Asking {
  readonly query: ColdQuery;
  /** Null where a class that is searched may not rest in a cache of this zone. */
  readonly results: ResultCache | null;
  readonly session: SessionOptions;
}

function askingOf(
  index: ColdIndex,
  {
    ask,
    question,
    options,
  }: { readonly ask: Ask; readonly question: Question; readonly options: ColdTierOptions },
): Asking {
  const { network, zone, results } = options;
  const { request } = question;
  const query: ColdQuery = {
    dense: question.query.dense,
    lexical: question.query.lexical,
    filter: request.filter ?? null,
    collection: request.collection,
    classes: ask.classes.filter((residency) => mayHold(network, residency, { id: index.site })),
    depth: candidateDepth(request),
    page: request.offset + request.limit,
    grouped: request.group_by === "document",
  };
  const isCacheable =
    question.query.isWhole && query.classes.every((residency) => mayCache(network, residency, zone));
  return { query, results: isCacheable ? results : null, session: sessionOf(question) };
}

/** Searches the generation that is held while its manifest is read again, which mostly says what it said before. */
function begin(index: ColdIndex, asking: Asking): BegunSearch {
  const held = index.manifests.held();
  return held === null || index.manifests.isFresh()
    ? new Map()
    : beginSearch(index, index.serving.of(held, { ...asking, sequence: null }), asking.query, asking);
}

function outcomeOf(
  found: IndexFinding,
  {
    index,
    state,
    ask,
    question,
    options,
    startedAt,
  }: {
    readonly index: ColdIndex;
    readonly state: ManifestState;
    readonly ask: Ask;
    readonly question: Question;
    readonly options: ColdTierOptions;
    readonly startedAt: number;
  },
): Outcome {
  const { request } = question;
  const wanted = request.min_sequence ?? null;
  const { status, reason } = standing(found, {
    lag: state.wentBack
      ? "the bucket has a manifest of before the one that is answered from"
      : wanted !== null && isBefore(state, wanted)
        ? "not yet at the sequence asked for"
        : null,
    details: [ask.reason, ...found.readings],
  });
  const places = new Map<string, ColdPlace>();
  const sited = (list: readonly ColdCandidate[]): SitedCandidate[] =>
    list.map(({ document_id, ordinal, score, version, residency, ...place }) => {
      const candidate = { document_id, ordinal, score, version, residency };
      const placed: SitedCandidate = { ...candidate, tier: "cold", site: index.site };
      const { segment, bytes, row, named } = place;
      if (named) places.set(passageKey(placed), { segment, bytes, row });
      return placed;
    });
  return {
    dense: sited(found.lists.dense),
    lexical: sited(found.lists.lexical),
    places,
    reports: ask.tiers.map((tier) => ({
      tier,
      site: index.site,
      status,
      took_ms: options.now() - startedAt,
      cache: found.cache,
      watermark: state.manifest.watermark.sequence,
      lag_ms: Math.max(0, options.now() - Date.parse(state.manifest.watermark_at)),
      ...(status !== "ok" || question.explain ? { reason } : {}),
    })),
  };
}
