/** What a run of the oracle test has found so far. */
import type { Mode, SearchResponse } from "@kattegat/protocol/search.ts";
import type { ExactIndex, OracleDocument } from "./exact-index.ts";
import { marginOf } from "./margin.ts";
import { overlapOf } from "./overlap.ts";

export interface Question {
  readonly text: string;
  readonly mode: Mode;
  readonly limit: number;
  readonly depth: number;
  readonly isVisible: (document: OracleDocument) => boolean;
}

/** A document that an answer should have held, with how far scores would have to be off for that. */
export interface TalliedMiss {
  readonly text: string;
  readonly mode: Mode;
  readonly id: string;
  readonly margin: number;
}

/** Compares answers with the exact index's, hit by hit. */
export class OracleTally {
  readonly misses: TalliedMiss[] = [];
  /** Hits of documents that this caller may not see or this filter excludes. */
  readonly strangers: string[] = [];
  expected = 0;
  /** The greatest difference between a hit's score and its passage's, by the tier that answered. */
  readonly errors = new Map<string, number>();
  readonly #index: ExactIndex;

  constructor(index: ExactIndex) {
    this.#index = index;
  }

  get overlap(): number {
    return 1 - this.misses.length / Math.max(1, this.expected);
  }

  add({ text, mode, limit, depth, isVisible }: Question, { hits }: SearchResponse): void {
    const { ranking, lists } = this.#index.search(text, { mode, depth, isVisible });
    const answered = hits.map(({ document_id }) => document_id);
    const { expected, missing, instead } = overlapOf(ranking, answered, limit);
    this.expected += expected;
    for (const id of missing)
      this.misses.push({ text, mode, id, margin: marginOf({ missing: id, instead }, { lists, depth }) });
    const seen = new Set(lists.flat().map(({ id }) => id));
    this.strangers.push(...answered.filter((id) => !seen.has(id)));
    const scoresOf = this.#index.scorer(text);
    for (const { passage_id, tier, dense_score, lexical_score } of hits) {
      const scores = scoresOf(passage_id);
      this.#note(tier, dense_score, scores?.dense ?? null);
      this.#note(tier, lexical_score, scores?.lexical ?? null);
    }
  }

  #note(tier: string, score: number | null, exact: number | null): void {
    if (score === null) return;
    // Lexical scores are sums of tens: float32 keeps their first digits, so the error is taken relative to them.
    const error = exact === null ? Infinity : Math.abs(score - exact) / Math.max(1, Math.abs(exact));
    this.errors.set(tier, Math.max(error, this.errors.get(tier) ?? 0));
  }
}
