/** How much each list of a hybrid search counts. */

/** A hit's score is the sum of weight / (k + rank) over the lists that hold it (Cormack, Clarke & Büttcher, SIGIR 2009, §3). */
export interface Fusion {
  /** The smaller, the more the first ranks count. */
  readonly k: number;
  readonly denseWeight: number;
  readonly lexicalWeight: number;
}

/**
 * For vectors made of the words themselves: they repeat what BM25 knows with less precision, so they decide among its likes and fill up behind it.
 * Chosen on half of the queries of bench/embedding.ts; on the other half equal weights with k = 60 lose 0.06 of nDCG@10 to it
 * with hashed vectors, 0.03 with learned ones.
 */
const WORDING: Fusion = { k: 2, denseWeight: 0.3, lexicalWeight: 1 };
/** For encoders, which find what words cannot: the published constant, neither list before the other. */
const MEANING: Fusion = { k: 60, denseWeight: 1, lexicalWeight: 1 };

/** Returns the fusion for the vectors of a model: a function of its id, so that every edge fuses alike. */
export function fusionOf(model: string): Fusion {
  return /^(?:hashed|learned)-/u.test(model) ? WORDING : MEANING;
}
