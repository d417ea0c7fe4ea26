/** A search over both parts of a cold index, each with its own cached results. */
import type { Cached } from "@kattegat/engine/cold/manifest-shape.ts";
import type { DeadDocuments } from "@kattegat/engine/cold/base/base-index.ts";
import { hasBit } from "@kattegat/engine/index/bitmap.ts";
import type { TierReport } from "@kattegat/protocol/search.ts";
import type { ColdCandidate, ColdLists } from "./cold-candidates.ts";
import { mergedLists, type ColdIndex } from "./cold-index.ts";
import type { ColdFinding, ColdQuery } from "./cold-query.ts";
import type { ManifestState } from "./manifest-reader.ts";
import type { SessionOptions } from "./piece-reader.ts";
import { resultKey, type ResultCache } from "./result-cache.ts";

export interface IndexFinding {
  readonly lists: ColdLists;
  readonly failed: number;
  readonly leftOut: number;
  readonly readings: readonly string[];
  /** A hit when nothing had to be searched. */
  readonly cache: TierReport["cache"];
}

interface Part {
  /** What its results are kept under: whatever changes them changes it, but for what `dead` hides. */
  readonly name: string;
  readonly dead: DeadDocuments | null;
  readonly objects: readonly Cached[];
  search(): Promise<ColdFinding>;
  /** Told what was asked for, by a search now or by the one whose results were kept. */
  asked(lists: readonly number[]): void;
}

interface PartFinding extends ColdFinding {
  readonly isCached: boolean;
}

interface SearchOptions {
  /** Null where a class that is searched may not rest in a cache of this zone. */
  readonly results: ResultCache | null;
  readonly session: SessionOptions;
}

/** Searches under way, by the names of their parts. */
export type BegunSearch = ReadonlyMap<string, Promise<PartFinding>>;

/** Begins to search a state that may turn out not to be the newest. */
export function beginSearch(
  index: ColdIndex,
  state: ManifestState,
  query: ColdQuery,
  options: SearchOptions,
): BegunSearch {
  const parts = partsOf(index, state, query, options);
  return new Map(parts.map((part) => [part.name, searchPart(part, index.site, query, options)]));
}

/** @param options.begun - used where it is of the same objects, without what was hidden since. */
export async function searchIndex(
  index: ColdIndex,
  state: ManifestState,
  query: ColdQuery,
  options: SearchOptions & { readonly begun: BegunSearch },
): Promise<IndexFinding> {
  const parts = partsOf(index, state, query, options);
  const found = await Promise.all(
    parts.map(async (part) => {
      const begun = await options.begun.get(part.name);
      const alive = begun === undefined ? null : aliveIn(begun.lists, part.dead);
      return begun === undefined || alive === null
        ? searchPart(part, index.site, query, options)
        : { ...begun, lists: alive };
    }),
  );
  return {
    lists: mergedLists(
      found.map(({ lists }) => lists),
      query,
    ),
    failed: found.reduce((sum, { failed }) => sum + failed, 0),
    leftOut: found.reduce((sum, { leftOut }) => sum + leftOut, 0),
    readings: found.flatMap(({ reading }) => (reading === null ? [] : [reading])),
    cache: options.results === null ? "none" : found.every(({ isCached }) => isCached) ? "hit" : "miss",
  };
}

function partsOf(
  index: ColdIndex,
  state: ManifestState,
  query: ColdQuery,
  options: SearchOptions,
): readonly Part[] {
  const { base, segments } = state.manifest;
  const parts: Part[] = [];
  if (segments.length > 0 || base === null)
    parts.push({
      name: state.contentKey,
      dead: null,
      objects: segments,
      search: () => index.searchTail(state, query, options.session),
      asked: () => undefined,
    });
  if (base !== null)
    parts.push({
      name: base.key,
      dead: state.dead,
      objects: [base],
      search: () => index.searchBase(state, query, options.session),
      asked: (lists) => options.session.defer(index.countAsked(state, lists, options.session)),
    });
  return parts;
}

async function searchPart(
  part: Part,
  site: string,
  query: ColdQuery,
  { results, session }: SearchOptions,
): Promise<PartFinding> {
  const found = await findPart(part, site, query, { results, session });
  part.asked(found.lists.probed);
  return found;
}

async function findPart(
  part: Part,
  site: string,
  query: ColdQuery,
  { results, session }: SearchOptions,
): Promise<PartFinding> {
  const key = results === null ? null : await resultKey(site, part.name, query);
  if (results === null || key === null) return { ...(await part.search()), isCached: false };
  const cached = await results.get(key, session).catch(() => null);
  const alive = cached === null ? null : aliveIn(cached, part.dead);
  if (alive !== null) return { lists: alive, failed: 0, leftOut: 0, reading: null, isCached: true };
  const finding = await part.search();
  if (finding.failed === 0)
    session.subrequests.later(() =>
      results.put(key, finding.lists, { ...session, objects: part.objects }).catch(() => undefined),
    );
  return { ...finding, isCached: false };
}

/** The cached lists without what has been hidden since; null when one of those had a name, since another must then get one. */
function aliveIn(lists: ColdLists, dead: DeadDocuments | null): ColdLists | null {
  if (dead === null) return lists;
  const isDead = ({ document }: ColdCandidate): boolean =>
    document !== null && hasBit(dead.documents, document);
  if ([...lists.dense, ...lists.lexical].some((candidate) => candidate.named && isDead(candidate)))
    return null;
  return {
    dense: lists.dense.filter((candidate) => !isDead(candidate)),
    lexical: lists.lexical.filter((candidate) => !isDead(candidate)),
    probed: lists.probed,
  };
}
