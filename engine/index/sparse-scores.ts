import type { SparseVector } from "../lexical/bm25.ts";
import type { Ranked } from "./ranking.ts";

/** Adds up sparse dot products over slots, term by term. */
export interface SparseScores {
  /**
   * Yields each slot that shares a term with the query, with its sparse dot product.
   *
   * Products are added in float64 in ascending order of term id, the sum is rounded to float32 once: the same
   * number wherever it is computed.
   */
  score(query: SparseVector, options: SparseScoreOptions): Ranked[];
}

export interface SparseScoreOptions {
  readonly slots: number;
  readonly admits: (slot: number) => boolean;
  readonly forEach: (term: number, visit: (slot: number, value: number) => void) => void;
}

/** Creates a scorer that keeps its sums between calls, so that a query allocates nothing as large as the index. */
export function createSparseScores(): SparseScores {
  let sums = new Float64Array(0);
  let isTouched = new Uint8Array(0);
  let touched = new Uint32Array(0);
  return {
    score(query, { slots, admits, forEach }) {
      if (sums.length < slots) {
        sums = new Float64Array(slots);
        isTouched = new Uint8Array(slots);
        touched = new Uint32Array(slots);
      }
      let count = 0;
      for (let i = 0; i < query.indices.length; i += 1) {
        const weight = query.values[i] ?? 0;
        forEach(query.indices[i] ?? 0, (slot, value) => {
          if (isTouched[slot] === 0) {
            isTouched[slot] = 1;
            sums[slot] = 0;
            touched[count] = slot;
            count += 1;
          }
          sums[slot] = (sums[slot] ?? 0) + weight * value;
        });
      }
      const scored: Ranked[] = [];
      for (let i = 0; i < count; i += 1) {
        const slot = touched[i] ?? 0;
        isTouched[slot] = 0;
        if (admits(slot)) scored.push({ slot, score: Math.fround(sums[slot] ?? 0) });
      }
      return scored;
    },
  };
}

/** Returns the sparse dot product of two vectors: the number that `score` gives. */
export function sparseDot(left: SparseVector, right: SparseVector): number {
  let sum = 0;
  for (let i = 0, j = 0; i < left.indices.length && j < right.indices.length;) {
    const a = left.indices[i] ?? 0;
    const b = right.indices[j] ?? 0;
    if (a === b) sum += (left.values[i] ?? 0) * (right.values[j] ?? 0);
    if (a <= b) i += 1;
    if (b <= a) j += 1;
  }
  return Math.fround(sum);
}
