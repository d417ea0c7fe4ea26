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
  /** What a passage must reach: all others of a million need no entry. */
  const floors = new Float64Array(queries.length);
  for (let number = 0; number < count; number += 1) {
    const { indices, values } = sparse(number);
    for (let at = 0; at < indices.length; at += 1) {
      for (const { query, weight } of asked.get(indices[at] ?? 0) ?? []) {
        if (sums[query] === 0) touched.push(query);
        sums[query] = (sums[query] ?? 0) + weight * (values[at] ?? 0);
      }
    }
    for (const query of touched.splice(0)) {
      const score = Math.fround(sums[query] ?? 0);
      sums[query] = 0;
      if (score < (floors[query] ?? 0)) continue;
      floors[query] = Math.max(floors[query] ?? 0, offered(tops[query] ?? [], { number, score }, limit));
    }
  }
  return tops.map((top) => cut(top, limit));
}

/** Adds what was found; returns the lowest score that can still be among the best, 0 when that was not looked at. */
function offered(top: LexicalTop[], found: LexicalTop, limit: number): number {
  top.push(found);
  if (top.length >= limit * SLACK) top.splice(0, top.length, ...cut(top, limit));
  return top.length === limit ? (top.at(-1)?.score ?? 0) : 0;
}

function cut(top: readonly LexicalTop[], limit: number): LexicalTop[] {
  return top.toSorted((a, b) => b.score - a.score || a.number - b.number).slice(0, limit);
}
