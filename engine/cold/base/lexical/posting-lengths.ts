/** What the values of a lexical vector follow from: the length of its passage, how often each term stands in it. */
import { lengthFactorOf, termWeightOf } from "../../../lexical/bm25.ts";

/** Stands for a row whose values follow from no length: they are kept as they are. */
export const RAW_LENGTH = 0xffff;
/** A term more frequent within one passage than this makes the row a raw one. */
const TF_MAX = 0xffff;
/** The rarest term of nearly every passage stands once; a row of a repeated word may have no single one. */
const SMALLEST_TF_MAX = 8;
/** A weight approaches k1 + 1 as tf grows. */
const WEIGHT_LIMIT = termWeightOf(1, 0);
const FACTOR_AT_0 = lengthFactorOf(0);
const FACTOR_PER_TERM = lengthFactorOf(1) - FACTOR_AT_0;

/**
 * Puts the term frequencies of a row into `frequencies`, returns the length that gives every value back bit for bit.
 *
 * Weight is tf·c / (tf + factor) with factor linear in length, so the smallest value gives the length for each guess of its
 * tf. Returns {@link RAW_LENGTH} when no length below 65,535 reproduces all values.
 */
export function lengthOf(values: Float32Array, frequencies: Uint16Array): number {
  if (values.length === 0) return 0;
  let smallest = Number.POSITIVE_INFINITY;
  for (let i = 0; i < values.length; i += 1) smallest = Math.min(smallest, values[i] ?? 0);
  if (!(smallest > 0 && smallest < WEIGHT_LIMIT)) return RAW_LENGTH;
  for (let tf = 1; tf <= SMALLEST_TF_MAX; tf += 1) {
    const factor = (tf * WEIGHT_LIMIT) / smallest - tf;
    const length = Math.round((factor - FACTOR_AT_0) / FACTOR_PER_TERM);
    if (length < 0 || length >= RAW_LENGTH) continue;
    if (fillFrequencies(values, lengthFactorOf(length), frequencies)) return length;
  }
  return RAW_LENGTH;
}

function fillFrequencies(values: Float32Array, factor: number, frequencies: Uint16Array): boolean {
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i] ?? 0;
    const tf = Math.round((value * factor) / (WEIGHT_LIMIT - value));
    if (!(tf >= 1 && tf <= TF_MAX)) return false;
    if (Math.fround(termWeightOf(tf, factor)) !== value) return false;
    frequencies[i] = tf;
  }
  return true;
}
