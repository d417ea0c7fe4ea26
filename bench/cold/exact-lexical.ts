/** The true best rows by BM25, by scoring every passage. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";

export interface LexicalTop {
  readonly number: number;
  readonly score: number;
}

/** More candidates than are asked for, between two cuts. */
const SLACK = 4;

/** Scores all passages for all queries in one pass; sums in ascending order of term id, rounded once, as every tier does. */
export function exactLexical(
  queries: readonly SparseVector[],
  {
    count,
    sparse,
    limit,
  }: { readonly count: number; sparse(number: number): SparseVector; readonly limit: number },
): readonly (readonly LexicalTop[])[] {
  const asked = new Map<number, { readonly query: number; readonly weight: number }[]>();
  for (const [query, { indices, values }] of queries.entries()) {
    for (const [at, term] of indices.entries()) {
      const list = asked.get(term) ?? [];
      list.push({ query, weight: values[at] ?? 0 });
      asked.set(term, list);
    }
  }
  const sums = new Float64Array(queries.length);
  const touched: number[] = [];
  const tops = queries.map((): LexicalTop[] => []);
  for (let number = 0; number < count; number += 1) {
    const { indices, values } = sparse(number);
    for (let at = 0; at < indices.length; at += 1) {
      for (const { query, weight } of asked.get(indices[at] ?? 0) ?? []) {
        if (sums[query] === 0) touched.push(query);
        sums[query] = (sums[query] ?? 0) + weight * (values[at] ?? 0);
      }
    }
    for (const query of touched.splice(0)) {
      offer(tops[query] ?? [], { number, score: Math.fround(sums[query] ?? 0) }, limit);
      sums[query] = 0;
    }
  }
  return tops.map((top) => cut(top, limit));
}

function offer(top: LexicalTop[], found: LexicalTop, limit: number): void {
  top.push(found);
  if (top.length < limit * SLACK) return;
  const kept = cut(top, limit);
  top.splice(0, top.length, ...kept);
}

function cut(top: readonly LexicalTop[], limit: number): LexicalTop[] {
  return top.toSorted((a, b) => b.score - a.score || a.number - b.number).slice(0, limit);
}
