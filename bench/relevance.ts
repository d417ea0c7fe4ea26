/** How well rankings answer questions whose answers are known. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createPassageIndex, type ScoredPoint } from "@kattegat/engine/index/passage-index.ts";
import { passageVector, queryVector } from "@kattegat/engine/lexical/bm25.ts";
import { decodeStatistics, StatisticsCounter } from "@kattegat/engine/lexical/statistics.ts";
import { analyze, type Language, queryTerms } from "@kattegat/engine/text/analyzer.ts";
import { createScanner } from "@kattegat/engine/vector/scan.ts";
import { fusedIds } from "./fused.ts";
import type { JudgedPassage, JudgedQuery, JudgedTask } from "./judged.ts";

export interface NamedEmbedder {
  readonly name: string;
  readonly dimensions: number;
  embedSync(text: string): Float32Array;
}

export interface Relevance {
  readonly ranking: string;
  readonly ndcg: number;
  readonly recall: number;
  readonly reciprocalRank: number;
}

const TOP = 10;
/** As deep as a search asks each side. */
const DEPTH = 100;

interface Ranking {
  readonly name: string;
  readonly search: (
    text: string,
    options: { readonly limit: number; readonly grouped: boolean },
  ) => ScoredPoint[];
}

/** Passages under every ranking, for all tasks that ask of them. */
export interface RelevanceMeter {
  /** Returns one row for BM25, one for each embedder, one for each embedder fused with BM25. */
  measure(task: JudgedTask): Relevance[];
}

export function createRelevanceMeter(
  passages: readonly JudgedPassage[],
  embedders: readonly NamedEmbedder[],
  language: Language,
): RelevanceMeter {
  const lexical = lexicalRanking(passages, language);
  const dense = embedders.map((embedder) => denseRanking(passages, embedder));
  return {
    measure(task) {
      const lists = ({ search }: Ranking): string[][] =>
        task.queries.map((query) =>
          idsOf(task, query, search(query.text, { limit: DEPTH, grouped: task.grouped })),
        );
      const words = lists(lexical);
      const rows = [relevanceOf(lexical.name, task, words)];
      for (const ranking of dense) {
        const found = lists(ranking);
        const both = found.map((ids, at) => fusedIds(ids, words[at] ?? []).map(({ id }) => id));
        rows.push(relevanceOf(ranking.name, task, found));
        rows.push(relevanceOf(`${ranking.name} + lexical`, task, both));
      }
      return rows;
    },
  };
}

function scanner() {
  const wasm = join(import.meta.dirname, "..", "engine", "wasm", "scan.wasm");
  return createScanner(new WebAssembly.Module(readFileSync(wasm)));
}

function denseRanking(passages: readonly JudgedPassage[], embedder: NamedEmbedder): Ranking {
  const index = createPassageIndex({ dimensions: embedder.dimensions, scanner: scanner() });
  for (const { id, group, text } of passages)
    index.upsert([{ id, group, order: 1, dense: embedder.embedSync(text), sparse: null, payload: {} }]);
  return {
    name: embedder.name,
    search: (text, options) => index.searchDense(embedder.embedSync(text), options),
  };
}

function lexicalRanking(passages: readonly JudgedPassage[], language: Language): Ranking {
  const index = createPassageIndex({ dimensions: 8, scanner: scanner() });
  const counter = new StatisticsCounter();
  for (const { id, group, text } of passages) {
    const sparse = passageVector(analyze(text, language));
    counter.add(sparse);
    index.upsert([{ id, group, order: 1, dense: null, sparse, payload: {} }]);
  }
  const statistics = decodeStatistics(counter.encode("1"));
  return {
    name: "lexical",
    search: (text, options) => index.searchSparse(queryVector(queryTerms(text), statistics), options),
  };
}

function idsOf({ grouped }: JudgedTask, { source }: JudgedQuery, found: readonly ScoredPoint[]): string[] {
  return found.filter(({ id }) => id !== source).map(({ id, group }) => (grouped ? group : id));
}

function relevanceOf(
  ranking: string,
  { queries }: JudgedTask,
  lists: readonly (readonly string[])[],
): Relevance {
  let ndcg = 0;
  let recall = 0;
  let reciprocalRank = 0;
  queries.forEach(({ relevant }, at) => {
    const ids = (lists[at] ?? []).slice(0, TOP);
    const most = Math.min(TOP, relevant.size);
    let gain = 0;
    let hits = 0;
    ids.forEach((id, rank) => {
      if (!relevant.has(id)) return;
      gain += 1 / Math.log2(rank + 2);
      hits += 1;
      if (hits === 1) reciprocalRank += 1 / (rank + 1);
    });
    let ideal = 0;
    for (let rank = 0; rank < most; rank += 1) ideal += 1 / Math.log2(rank + 2);
    ndcg += ideal === 0 ? 0 : gain / ideal;
    recall += most === 0 ? 0 : hits / most;
  });
  const count = Math.max(1, queries.length);
  return { ranking, ndcg: ndcg / count, recall: recall / count, reciprocalRank: reciprocalRank / count };
}
