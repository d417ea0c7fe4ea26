/** What a cold index is asked, what it found. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Filter } from "@kattegat/protocol/filter.ts";
import type { ColdLists } from "./cold-candidates.ts";
import { coldFilterOf } from "./cold-filter.ts";

export interface ColdQuery {
  readonly dense: Float32Array | null;
  readonly lexical: SparseVector | null;
  readonly filter: Filter | null;
  readonly collection: string;
  /** Residency classes to look among; all of them may rest in this bucket. */
  readonly classes: readonly string[];
  readonly depth: number;
  /** Hits of the page, from the first on. */
  readonly page: number;
  readonly grouped: boolean;
}

/** What a search over one part of the index found. */
export interface ColdFinding {
  readonly lists: ColdLists;
  /** Segments or pieces that could not be read: their passages are missing from the lists. */
  readonly failed: number;
  /** Those of them that did not fit the limits of one search. */
  readonly leftOut: number;
  /** What a base read, for `explain`; null where nothing was read by range. */
  readonly reading: string | null;
}

/** The caller's filter with what every search is limited to. */
export function filterOf(query: ColdQuery): Filter {
  return {
    must: [
      { key: "collection", match: { value: query.collection } },
      { key: "residency", match: { any: [...query.classes] } },
      ...(query.filter === null ? [] : [coldFilterOf(query.filter)]),
    ],
  };
}
