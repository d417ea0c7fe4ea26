/** The cold indexes that this edge has buckets of. */
import { mayCache, mayHold } from "@kattegat/config/residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import {
  decodeStatistics,
  emptyStatistics,
  type TermStatistics,
} from "@kattegat/engine/lexical/statistics.ts";
import type { SitedCandidate } from "@kattegat/protocol/fuse.ts";
import type { PassageContent } from "@kattegat/protocol/site-search.ts";
import { candidateDepth } from "@kattegat/protocol/search.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import { failureReports, passageKey, type Outcome } from "../search/outcome.ts";
import type { Knowledge } from "../knowledge.ts";
import type { Ask } from "../search/plan.ts";
import type { Question } from "../search/site-question.ts";
import type { ColdCandidate, ColdPlace } from "./cold-candidates.ts";
import type { ColdIndex, ColdQuery } from "./cold-index.ts";
import type { ManifestState } from "./manifest-reader.ts";
import { resultKey, type ResultCache } from "./result-cache.ts";

/** Between two looks for a sequence that has not come yet. */
const POLL_MS = 100;

export interface ColdTier {
  readonly sites: readonly string[];
  index(site: string): ColdIndex | null;
  /** The term statistics that the zone's own manifest names, empty before the first; rejects when they cannot be read. */
  statistics(): Promise<TermStatistics>;
  ask(ask: Ask, question: Question): Promise<Outcome>;
  read(site: string, places: readonly (ColdPlace | null)[]): Promise<(PassageContent | null)[]>;
}

export interface ColdTierOptions {
  /** The zone's own index first. */
  readonly indexes: readonly ColdIndex[];
  readonly results: ResultCache;
  readonly network: Network;
  readonly knowledge: Knowledge;
  readonly zone: string;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
  readonly sleep: (timeMs: number) => Promise<void>;
}

export function createColdTier(options: ColdTierOptions): ColdTier {
  const indexes = new Map(options.indexes.map((index) => [index.site, index]));
  let statistics: TermStatistics | null = null;

  return {
    sites: [...indexes.keys()],
    index: (site) => indexes.get(site) ?? null,
    async statistics() {
      const own = options.indexes[0];
      const named = (await own?.manifests.read())?.manifest.statistics ?? null;
      if (own === undefined || named === null) return emptyStatistics();
      if (statistics?.version === named.version) return statistics;
      try {
        const object = await own.bucket.get(named.key);
        if (object === null) throw new Error("the manifest names a table that is gone");
        statistics = decodeStatistics(new Uint8Array(await object.arrayBuffer()));
      } catch (error) {
        options.report(error);
        // The last table weighs nearly the same; no table at all does not, so the answer has to say so.
        if (statistics === null) throw error;
      }
      return statistics;
    },
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
        const state = await reached(index, question, options);
        if (state === null)
          return failed(
            question.request.min_sequence === null ? "unavailable" : "stale",
            "no generation has been published yet",
          );
        if (state.manifest.model !== options.network.embedding.model && state.manifest.segments.length > 0) {
          return failed("unavailable", `its vectors are of the model ${state.manifest.model}`);
        }
        options.knowledge.hear(state.manifest.watermark);
        return await searched(index, state, { ask, question, options, startedAt });
      } catch (error) {
        options.report(error);
        return failed("unavailable", "object storage did not give a manifest that can be read");
      }
    },
    read: (site, places) => indexes.get(site)?.read(places) ?? Promise.resolve(places.map(() => null)),
  };
}

/** The newest manifest, or the first that has the sequence asked for while there is time. */
async function reached(
  index: ColdIndex,
  question: Question,
  { now, sleep }: ColdTierOptions,
): Promise<ManifestState | null> {
  const wanted = question.request.min_sequence ?? null;
  let state = await index.manifests.read();
  while (wanted !== null && isBefore(state, wanted) && now() + POLL_MS < question.endsAt) {
    await sleep(POLL_MS);
    state = await index.manifests.read({ ageMsMax: POLL_MS });
  }
  return state;
}

function isBefore(state: ManifestState | null, sequence: string): boolean {
  return state === null || compareSequences(state.manifest.watermark.sequence, sequence) < 0;
}

async function searched(
  index: ColdIndex,
  state: ManifestState,
  {
    ask,
    question,
    options,
    startedAt,
  }: {
    readonly ask: Ask;
    readonly question: Question;
    readonly options: ColdTierOptions;
    readonly startedAt: number;
  },
): Promise<Outcome> {
  const { request } = question;
  const query: ColdQuery = {
    dense: question.query.dense,
    lexical: question.query.lexical,
    filter: request.filter ?? null,
    collection: request.collection,
    classes: ask.classes.filter((residency) => mayHold(options.network, residency, { id: index.site })),
    depth: candidateDepth(request),
    grouped: request.group_by === "document",
  };
  const isCacheable = query.classes.every((residency) => mayCache(options.network, residency, options.zone));
  const key = isCacheable ? await resultKey(index.site, state.contentKey, query) : null;
  const cached = key === null ? null : await options.results.get(question.colo, key).catch(() => null);
  const { lists, failed } = cached === null ? await index.search(state, query) : { lists: cached, failed: 0 };
  if (key !== null && cached === null && failed === 0)
    question.defer(options.results.put(question.colo, key, lists).catch(() => null));
  const isStale =
    request.min_sequence !== null &&
    request.min_sequence !== undefined &&
    isBefore(state, request.min_sequence);
  const status = failed > 0 ? "unavailable" : isStale ? "stale" : "ok";
  const reason =
    failed > 0
      ? `${failed} of ${state.manifest.segments.length} segments could not be read`
      : isStale
        ? "not yet at the sequence asked for"
        : ask.reason;
  const places = new Map<string, ColdPlace>();
  const sited = (list: readonly ColdCandidate[]): SitedCandidate[] =>
    list.map(({ segment, bytes, row, ...candidate }) => {
      const placed: SitedCandidate = { ...candidate, tier: "cold", site: index.site };
      places.set(passageKey(placed), { segment, bytes, row });
      return placed;
    });
  return {
    dense: sited(lists.dense),
    lexical: sited(lists.lexical),
    places,
    reports: ask.tiers.map((tier) => ({
      tier,
      site: index.site,
      status,
      took_ms: options.now() - startedAt,
      cache: key === null ? "none" : cached === null ? "miss" : "hit",
      watermark: state.manifest.watermark.sequence,
      lag_ms: Math.max(0, options.now() - Date.parse(state.manifest.watermark_at)),
      ...(status !== "ok" || question.explain ? { reason } : {}),
    })),
  };
}
