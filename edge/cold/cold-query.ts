/** What a cold index is asked, what it found. */
import type { ColdLimits } from "@kattegat/engine/cold/cold-filter.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { ColdLists } from "./cold-candidates.ts";

/** Its classes may all rest in this bucket. */
export interface ColdQuery extends ColdLimits {
  readonly dense: Float32Array | null;
  readonly lexical: SparseVector | null;
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
