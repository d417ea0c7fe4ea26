/** The exact float index that the network's answers are held against. */
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { passageVector, queryVector, type SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { TermStatistics } from "@kattegat/engine/lexical/statistics.ts";
import { analyze, queryTerms } from "@kattegat/engine/text/analyzer.ts";
import { languageOf } from "@kattegat/engine/text/language.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import type { Mode } from "@kattegat/protocol/search.ts";

/** A document as the oracle knows it: from its source, not from the network. */
export interface OracleDocument {
  readonly id: string;
  /** The texts that are ranked, as stored or as split. */
  readonly passages: readonly string[];
  readonly lang: string | null;
  readonly residency: string;
  /** A day, as the samples give it. */
  readonly publishedAt: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

interface OraclePassage {
  readonly document: OracleDocument;
  readonly ordinal: number;
  readonly dense: Float32Array;
  readonly sparse: ReadonlyMap<number, number>;
}

/** One entry of a list: a document by its best passage. */
export interface OracleEntry {
  readonly id: string;
  readonly score: number;
}

export interface OracleRanking {
  /** The final ranking with fused or plain scores. */
  readonly ranking: readonly OracleEntry[];
  /** The lists of the mode before fusion, each as long as it is. */
  readonly lists: readonly (readonly OracleEntry[])[];
}

/** What one passage scores; null without a word of the query. */
export interface OracleScores {
  readonly dense: number;
  readonly lexical: number | null;
}

/**
 * Reciprocal rank fusion for hashed vectors, as protocol/SPEC.md has it, written out again so that the oracle shares no code with what it judges:
 * the constant, the weights of the dense and the lexical list.
 */
export const K = 2;
export const WEIGHTS = [0.3, 1] as const;

/**
 * Ranks by brute force: every passage of every document that may be seen, in float64, no codes, no tiers.
 *
 * The scoring functions (analysis, embedding, BM25 weights) are the engine's own, since they define the score;
 * finding, grouping, cutting, fusing are written again here.
 */
export class ExactIndex {
  readonly #passages: readonly OraclePassage[];
  readonly #byId: ReadonlyMap<string, OraclePassage>;
  readonly #statistics: TermStatistics;
  readonly #embedder: ReturnType<typeof createHashedEmbedder>;

  constructor(
    documents: readonly OracleDocument[],
    options: { readonly statistics: TermStatistics; readonly dimensions: number },
  ) {
    this.#statistics = options.statistics;
    this.#embedder = createHashedEmbedder({ dimensions: options.dimensions });
    this.#passages = documents.flatMap((document) => this.#passagesOf(document));
    this.#byId = new Map(
      this.#passages.map((passage) => [`${passage.document.id}#${passage.ordinal}`, passage]),
    );
  }

  get size(): number {
    return this.#passages.length;
  }

  search(
    query: string,
    options: {
      readonly mode: Mode;
      readonly depth: number;
      readonly isVisible: (document: OracleDocument) => boolean;
    },
  ): OracleRanking {
    const { mode, depth, isVisible } = options;
    const visible = this.#passages.filter(({ document }) => isVisible(document));
    const lists = [
      ...(mode === "lexical" ? [] : [byDocument(visible, this.#denseScorer(query))]),
      ...(mode === "dense" ? [] : [byDocument(visible, this.#lexicalScorer(query))]),
    ];
    const cut = lists.map((list) => list.slice(0, depth));
    return { ranking: mode === "hybrid" ? fused(cut) : (cut[0] ?? []), lists };
  }

  /** Returns what any passage scores for the query, by its id; null when there is none of this id. */
  scorer(query: string): (passageId: string) => OracleScores | null {
    const dense = this.#denseScorer(query);
    const lexical = this.#lexicalScorer(query);
    return (passageId) => {
      const passage = this.#byId.get(passageId);
      return passage === undefined ? null : { dense: dense(passage), lexical: lexical(passage) };
    };
  }

  #passagesOf(document: OracleDocument): OraclePassage[] {
    return document.passages.map((text, index) => {
      const { indices, values } = passageVector(analyze(text, languageOf(document.lang)));
      return {
        document,
        ordinal: index + 1,
        dense: toCanonical(this.#embedder.embedSync(text)),
        sparse: new Map([...indices].map((term, at) => [term, values[at] ?? 0])),
      };
    });
  }

  #denseScorer(query: string): (passage: OraclePassage) => number {
    const vector = this.#embedder.embedSync(query);
    return ({ dense }) => {
      let sum = 0;
      for (let at = 0; at < vector.length; at += 1) sum += (vector[at] ?? 0) * (dense[at] ?? 0);
      return sum;
    };
  }

  #lexicalScorer(query: string): (passage: OraclePassage) => number | null {
    const { indices, values }: SparseVector = queryVector(queryTerms(query), this.#statistics);
    return ({ sparse }) => {
      let sum: number | null = null;
      for (const [at, term] of indices.entries()) {
        const weight = sparse.get(term);
        if (weight !== undefined) sum = (sum ?? 0) + weight * (values[at] ?? 0);
      }
      return sum;
    };
  }
}

/** Each document once with its best passage's score; a null score is no match. */
function byDocument(
  passages: readonly OraclePassage[],
  scoreOf: (passage: OraclePassage) => number | null,
): OracleEntry[] {
  const best = new Map<string, number>();
  for (const passage of passages) {
    const score = scoreOf(passage);
    if (score === null) continue;
    // Every site answers with float32 scores: passages that are equal there are equal here.
    best.set(passage.document.id, Math.max(Math.fround(score), best.get(passage.document.id) ?? -Infinity));
  }
  return sorted(best);
}

function sorted(scores: ReadonlyMap<string, number>): OracleEntry[] {
  return [...scores]
    .map(([id, score]) => ({ id, score }))
    .toSorted((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
}

function fused(lists: readonly (readonly OracleEntry[])[]): OracleEntry[] {
  const scores = new Map<string, number>();
  for (const [at, list] of lists.entries()) {
    const weight = WEIGHTS[at] ?? 1;
    for (const [index, { id }] of list.entries())
      scores.set(id, (scores.get(id) ?? 0) + weight / (K + index + 1));
  }
  return sorted(scores);
}
