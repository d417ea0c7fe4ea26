/** Exact merging of the sites' candidate lists into one ranking. */
import type { TierName } from "@kattegat/config/network.ts";
import type { Fusion } from "./fusion.ts";
import type { Grouping } from "./search.ts";
import type { Candidate } from "./site-search.ts";
import { compareSequences } from "./sequence.ts";

const SPEED: Readonly<Record<TierName, number>> = { "ultra-hot": 0, hot: 1, warm: 2, cold: 3 };

/** A candidate with the site that gave it. */
export interface SitedCandidate extends Candidate {
  readonly site: string;
}

/** A hit's place in one list; ranks count from 1. */
export interface ListPlace {
  readonly rank: number;
  /** The passage that has this rank; when documents are grouped, it may be another than the one shown. */
  readonly ordinal: number;
}

/** One entry of the fused ranking. */
export interface FusedHit {
  /** The passage shown. */
  readonly passage: SitedCandidate;
  readonly score: number;
  /** The shown passage's own score; null when the list holds the document by another passage, or not at all. */
  readonly denseScore: number | null;
  readonly lexicalScore: number | null;
  readonly dense: ListPlace | null;
  readonly lexical: ListPlace | null;
}

/** The order of every list: score descending, then document id, then ordinal. */
export function compareCandidates(
  a: { readonly score: number; readonly document_id: string; readonly ordinal: number },
  b: { readonly score: number; readonly document_id: string; readonly ordinal: number },
): number {
  return (
    b.score - a.score ||
    (a.document_id < b.document_id ? -1 : a.document_id > b.document_id ? 1 : a.ordinal - b.ordinal)
  );
}

/** The copy to believe when two sites hold one document, as during a re-tier: the newer, then the faster, then by site id. */
function isBetterCopy(a: SitedCandidate, b: SitedCandidate): boolean {
  const order = compareSequences(a.version, b.version);
  if (order !== 0) return order > 0;
  return SPEED[a.tier] !== SPEED[b.tier] ? SPEED[a.tier] < SPEED[b.tier] : a.site < b.site;
}

/**
 * Drops every candidate whose document has a better copy at another site, in any of the lists:
 * an old version must not be ranked by words that it no longer has.
 */
function withoutOldCopies(lists: readonly (readonly SitedCandidate[])[]): SitedCandidate[][] {
  const best = new Map<string, SitedCandidate>();
  for (const list of lists) {
    for (const candidate of list) {
      const known = best.get(candidate.document_id);
      if (known === undefined || isBetterCopy(candidate, known)) best.set(candidate.document_id, candidate);
    }
  }
  return lists.map((list) =>
    list.filter((candidate) => {
      const known = best.get(candidate.document_id);
      return (
        known?.version === candidate.version && known.tier === candidate.tier && known.site === candidate.site
      );
    }),
  );
}

function keyOf(candidate: Candidate, groupBy: Grouping): string {
  return groupBy === "document" ? candidate.document_id : `${candidate.document_id}#${candidate.ordinal}`;
}

/** The global list: sorted, each key once with its best passage, cut at `depth`. */
function ranked(
  list: readonly SitedCandidate[],
  options: { groupBy: Grouping; depth: number },
): Map<string, SitedCandidate> {
  const result = new Map<string, SitedCandidate>();
  for (const candidate of list.toSorted(compareCandidates)) {
    if (result.size === options.depth) break;
    const key = keyOf(candidate, options.groupBy);
    if (!result.has(key)) result.set(key, candidate);
  }
  return result;
}

function placesOf(list: ReadonlyMap<string, SitedCandidate>): Map<string, ListPlace> {
  return new Map([...list].map(([key, { ordinal }], index) => [key, { rank: index + 1, ordinal }]));
}

/**
 * Merges the lists of all sites. Each site gives its own best `depth` of each list with raw scores that mean
 * the same everywhere, so the global best `depth` are among them: the result equals that of one index.
 *
 * A list that the mode lacks is null; with one list the score is that list's own, with two it is the sum of
 * `weight / (k + rank)` over the lists that hold the hit.
 */
export function fuse(
  lists: {
    readonly dense: readonly SitedCandidate[] | null;
    readonly lexical: readonly SitedCandidate[] | null;
  },
  options: { readonly groupBy: Grouping; readonly depth: number; readonly fusion: Fusion },
): FusedHit[] {
  const [dense, lexical] = withoutOldCopies([lists.dense ?? [], lists.lexical ?? []]).map((list) =>
    ranked(list, options),
  );
  if (dense === undefined || lexical === undefined) throw new Error("fuse: two lists go in, two come out");
  const { k, denseWeight, lexicalWeight } = options.fusion;
  const part = (place: ListPlace | null, weight: number): number =>
    place === null ? 0 : weight / (k + place.rank);
  const isHybrid = lists.dense !== null && lists.lexical !== null;
  const densePlaces = placesOf(dense);
  const lexicalPlaces = placesOf(lexical);
  const hits: FusedHit[] = [];
  for (const key of new Set([...dense.keys(), ...lexical.keys()])) {
    const byDense = dense.get(key);
    const byLexical = lexical.get(key);
    const densePlace = densePlaces.get(key) ?? null;
    const lexicalPlace = lexicalPlaces.get(key) ?? null;
    // The passage shown is the one of the better rank; on a tie the dense one, whose score knows the whole wording.
    const isLexicalShown =
      byDense === undefined || (lexicalPlace !== null && lexicalPlace.rank < (densePlace?.rank ?? Infinity));
    const passage = isLexicalShown ? byLexical : byDense;
    if (passage === undefined) throw new Error("fuse: a key comes from one of the two lists");
    hits.push({
      passage,
      score: isHybrid ? part(densePlace, denseWeight) + part(lexicalPlace, lexicalWeight) : passage.score,
      denseScore: scoreOf(passage, byDense),
      lexicalScore: scoreOf(passage, byLexical),
      dense: densePlace,
      lexical: lexicalPlace,
    });
  }
  return hits.toSorted((a, b) => b.score - a.score || compareKeys(a.passage, b.passage));
}

/** The shown passage's score in a list that holds its document by `listed`: another passage's score says nothing of it. */
function scoreOf(shown: SitedCandidate, listed: SitedCandidate | undefined): number | null {
  return listed?.ordinal === shown.ordinal ? listed.score : null;
}

function compareKeys(a: SitedCandidate, b: SitedCandidate): number {
  return compareCandidates({ ...a, score: 0 }, { ...b, score: 0 });
}
