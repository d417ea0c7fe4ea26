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
import type { ColdIndex } from "./cold-index.ts";
import type { ColdQuery } from "./cold-query.ts";
import { searchIndex } from "./cold-search.ts";
import type { ManifestState } from "./manifest-reader.ts";
import type { SessionOptions } from "./piece-reader.ts";
import type { ResultCache } from "./result-cache.ts";

/** Between two looks for a sequence that has not come yet. */
const POLL_MS = 100;

export interface ColdTier {
  readonly sites: readonly string[];
  index(site: string): ColdIndex | null;
  /** The term statistics that the zone's own manifest names, empty before the first; rejects when they cannot be read. */
  statistics(): Promise<TermStatistics>;
  ask(ask: Ask, question: Question): Promise<Outcome>;
  read(
    site: string,
    places: readonly (ColdPlace | null)[],
    session: SessionOptions,
  ): Promise<(PassageContent | null)[]>;
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
        if (state.manifest.model !== options.network.embedding.model && state.manifest.generation > 0) {
          return failed("unavailable", `its vectors are of the model ${state.manifest.model}`);
        }
        options.knowledge.hear(state.manifest.watermark);
        return await searched(index, state, { ask, question, options, startedAt });
      } catch (error) {
        options.report(error);
        return failed("unavailable", "object storage did not give a manifest that can be read");
      }
    },
    async read(site, places, session) {
      const index = indexes.get(site);
      if (index === undefined) return places.map(() => null);
      return index.read(places, { state: await index.manifests.read(), session });
    },
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
    page: request.offset + request.limit,
    grouped: request.group_by === "document",
  };
  const isCacheable =
    question.query.isWhole &&
    query.classes.every((residency) => mayCache(options.network, residency, options.zone));
  const found = await searchIndex(index, state, query, {
    results: isCacheable ? options.results : null,
    session: { colo: question.colo, endsAt: question.endsAt, defer: question.defer },
  });
  const isStale =
    request.min_sequence !== null &&
    request.min_sequence !== undefined &&
    isBefore(state, request.min_sequence);
  const status = found.failed > 0 ? "unavailable" : isStale ? "stale" : "ok";
  const reason =
    found.failed > 0
      ? `${found.failed} segments or pieces of the index could not be read`
      : isStale
        ? "not yet at the sequence asked for"
        : [ask.reason, ...found.readings].join("; ");
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
