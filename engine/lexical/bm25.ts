import type { Token } from "../text/analyzer.ts";
import { hash32 } from "../text/hash.ts";
import type { TermStatistics } from "./statistics.ts";

/** A lexical vector: term ids ascending without repeats, one weight for each. */
export interface SparseVector {
  readonly indices: Uint32Array;
  readonly values: Float32Array;
}

/** Robertson's and Zaragoza's usual values (The Probabilistic Relevance Framework, 2009, section 3.4.2). */
const K1 = 1.2;
const B = 0.75;
/**
 * A constant, so that a passage's vector never changes when others come or go: otherwise no two sites would agree on a score.
 * Passages are split to 200–1,200 characters, about 80 terms.
 */
export const AVERAGE_PASSAGE_TERMS = 80;

/** Returns what a passage's length puts below the fraction of BM25: k1·(1−b+b·length/average). */
export function lengthFactorOf(lengthTerms: number): number {
  return K1 * (1 - B + (B * lengthTerms) / AVERAGE_PASSAGE_TERMS);
}

/** Returns the weight of a term that stands `tf` times in a passage, before it is rounded to float32. */
export function termWeightOf(tf: number, lengthFactor: number): number {
  return (tf * (K1 + 1)) / (tf + lengthFactor);
}

/** Returns the document side of BM25: tf·(k1+1) / (tf + k1·(1−b+b·length/average)) for each term. */
export function passageVector(tokens: readonly Token[]): SparseVector {
  return passageVectorOf(Uint32Array.from(tokens, ({ term }) => hash32(term)));
}

/** As `passageVector`, of the ids of all terms; takes the array over. */
export function passageVectorOf(ids: Uint32Array<ArrayBuffer>): SparseVector {
  ids.sort();
  const lengthFactor = lengthFactorOf(ids.length);
  const values = new Float32Array(ids.length);
  let distinct = 0;
  for (let i = 0; i < ids.length;) {
    const id = ids[i] ?? 0;
    let tf = 1;
    while (i + tf < ids.length && ids[i + tf] === id) tf += 1;
    ids[distinct] = id;
    values[distinct] = termWeightOf(tf, lengthFactor);
    distinct += 1;
    i += tf;
  }
  return { indices: ids.slice(0, distinct), values: values.slice(0, distinct) };
}

/**
 * Returns the query side of BM25: idf·qtf for each term, idf = ln(1 + (N−df+0.5)/(df+0.5)).
 *
 * The document frequency never exceeds N here, so a weight is always positive, with empty statistics too.
 */
export function queryVector(terms: ReadonlyMap<string, number>, statistics: TermStatistics): SparseVector {
  const weights = new Map<number, number>();
  for (const [term, qtf] of terms) {
    const id = hash32(term);
    const df = Math.max(1, statistics.df(id));
    const passages = Math.max(statistics.passages, df);
    const idf = Math.log(1 + (passages - df + 0.5) / (df + 0.5));
    weights.set(id, (weights.get(id) ?? 0) + idf * qtf);
  }
  const indices = Uint32Array.from(weights.keys()).sort();
  return { indices, values: Float32Array.from(indices, (id) => weights.get(id) ?? 0) };
}

/** Returns the lexical score: the dot product of two sparse vectors. */
export function sparseDot(left: SparseVector, right: SparseVector): number {
  let sum = 0;
  let i = 0;
  let j = 0;
  while (i < left.indices.length && j < right.indices.length) {
    const a = left.indices[i] ?? 0;
    const b = right.indices[j] ?? 0;
    if (a === b) sum += (left.values[i] ?? 0) * (right.values[j] ?? 0);
    if (a <= b) i += 1;
    if (b <= a) j += 1;
  }
  return sum;
}
