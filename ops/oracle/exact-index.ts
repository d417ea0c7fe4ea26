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
  /** The lists before fusion, cut at the depth. */
  readonly dense: readonly OracleEntry[];
  readonly lexical: readonly OracleEntry[];
}

/** Reciprocal rank fusion's constant, written out again so that the oracle shares no code with what it judges. */
const K = 60;

/**
 * Ranks by brute force: every passage of every document that may be seen, in float64, no codes, no tiers.
 *
 * The scoring functions (analysis, embedding, BM25 weights) are the engine's own, since they define the score;
 * finding, grouping, cutting, fusing are written again here.
 */
export class ExactIndex {
  readonly #passages: readonly OraclePassage[];
  readonly #statistics: TermStatistics;
  readonly #embedder: ReturnType<typeof createHashedEmbedder>;

  constructor(
    documents: readonly OracleDocument[],
    options: { readonly statistics: TermStatistics; readonly dimensions: number },
  ) {
    this.#statistics = options.statistics;
    this.#embedder = createHashedEmbedder({ dimensions: options.dimensions });
    this.#passages = documents.flatMap((document) => this.#passagesOf(document));
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
    const dense = mode === "lexical" ? [] : this.#dense(query, visible).slice(0, depth);
    const lexical = mode === "dense" ? [] : this.#lexical(query, visible).slice(0, depth);
    const ranking = mode === "dense" ? dense : mode === "lexical" ? lexical : fused(dense, lexical);
    return { ranking, dense, lexical };
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

  #dense(query: string, passages: readonly OraclePassage[]): OracleEntry[] {
    const vector = this.#embedder.embedSync(query);
    return byDocument(passages, ({ dense }) => {
      let sum = 0;
      for (let at = 0; at < vector.length; at += 1) sum += (vector[at] ?? 0) * (dense[at] ?? 0);
      return sum;
    });
  }

  #lexical(query: string, passages: readonly OraclePassage[]): OracleEntry[] {
    const { indices, values }: SparseVector = queryVector(queryTerms(query), this.#statistics);
    return byDocument(passages, ({ sparse }) => {
      let sum: number | null = null;
      for (const [at, term] of indices.entries()) {
        const weight = sparse.get(term);
        if (weight !== undefined) sum = (sum ?? 0) + weight * (values[at] ?? 0);
      }
      return sum;
    });
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

function fused(dense: readonly OracleEntry[], lexical: readonly OracleEntry[]): OracleEntry[] {
  const scores = new Map<string, number>();
  for (const list of [dense, lexical]) {
    for (const [index, { id }] of list.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (K + index + 1));
  }
  return sorted(scores);
}
