import { hash32 } from "../text/hash.ts";
import type { Form } from "../text/lexicon.ts";
import { readWords, type TextWords } from "../text/text-words.ts";
import type { Embedder } from "./embedder.ts";
import { FUNCTION_WORDS } from "./function-words.ts";

/** A function word counts a little: "ret til" tells Danish from Norwegian. */
const FUNCTION_WORD_WEIGHT = 0.25;
/** A whole word against the sum of its parts: likeness of endings and compounds counts, but less than the word. */
const PARTS_WEIGHT = 0.7;
/** The first six letters stand for the inflected forms of a word in any language: a light stem. */
const PREFIX_UNITS = 6;
const PREFIX_WEIGHT = 0.8;
/**
 * One dimension per word lets two words collide with their whole weight. With four, six words in a row found their article
 * among the 15,803 of the Universal Declaration at a mean reciprocal rank of 0.88, with one at 0.82; eight gave no more.
 */
const WORD_DIMENSIONS = 4;
/** n-grams longer than this repeat the word; past it a pathological "word" costs nothing. */
const WORD_UNITS_MAX = 48;
/** The weight of a content word by its length, a proxy for how rare it is: the model knows no corpus. */
const LENGTH_WEIGHTS = [0, 0.32, 0.32, 0.486, 0.619, 0.736, 0.841, 0.939, 1.03, 1.116] as const;
const LENGTH_WEIGHT_MAX = 1.17;
const SEED_WORD = 0x57a311c9;
const SEED_PREFIX = 0x2c1b3c6d;

export interface HashedEmbedder extends Embedder {
  embedSync(text: string): Float32Array;
  readonly embedWords: (words: TextWords) => Float32Array;
}

/**
 * Makes the embedder that needs no model: words with their character n-grams, hashed with a sign into the dimensions.
 *
 * It measures likeness of wording, not meaning. The same text gives the same bytes on every machine: only additions,
 * multiplications, divisions, square roots are used, which IEEE 754 rounds exactly (Math.log would not be so).
 * Signed feature hashing: Weinberger et al., Feature Hashing for Large Scale Multitask Learning, 2009, section 2.
 *
 * A text without words gives a fixed unit vector, unlike any text: cosine and quantisation never meet a zero length.
 */
export function createHashedEmbedder({ dimensions }: { readonly dimensions: number }): HashedEmbedder {
  if (!Number.isInteger(dimensions) || dimensions < 8 || dimensions > 4096) {
    throw new RangeError(`dimensions: expected a whole number from 8 to 4096, got ${dimensions}`);
  }
  const sums = new Float64Array(dimensions);
  const embedWords = (words: TextWords): Float32Array => {
    sums.fill(0);
    for (const { form, count } of countWords(words).values()) addWord(sums, form, count);
    return unit(sums);
  };
  const embedSync = (text: string): Float32Array => embedWords(readWords(text));
  return {
    model: `hashed-${dimensions}-v1`,
    dimensions,
    embedSync,
    embedWords,
    embed: (texts) => Promise.resolve(texts.map(embedSync)),
  };
}

interface CountedForm {
  readonly form: Form;
  count: number;
}

/** In the order in which they first stand. */
function countWords({ words }: TextWords): Map<string, CountedForm> {
  const counts = new Map<string, CountedForm>();
  for (const { folded: form } of words) {
    const known = counts.get(form.term);
    if (known === undefined) counts.set(form.term, { form, count: 1 });
    else known.count += 1;
  }
  return counts;
}

function addWord(sums: Float64Array, { term: word, id }: Form, count: number): void {
  // count^0.75: below linear, exact on every machine. A square root ranked articles that repeat the word asked for too low.
  const weight = weightOf(word) * Math.sqrt(count * Math.sqrt(count));
  spread(sums, id ^ SEED_WORD, weight);
  const length = Math.min(word.length, WORD_UNITS_MAX);
  if (length < 4) return;
  if (length >= PREFIX_UNITS)
    spread(sums, hash32(word.slice(0, PREFIX_UNITS)) ^ SEED_PREFIX, weight * PREFIX_WEIGHT);
  // Trigrams and four-grams of "‹word›"; each part's share makes the parts together PARTS_WEIGHT long.
  const parts = length + (length - 1);
  const share = (weight * PARTS_WEIGHT) / Math.sqrt(parts);
  for (let i = -1; i < length - 1; i += 1) {
    const three = mix(
      mix(mix(0x9747b28c, unitAt(word, i, length)), unitAt(word, i + 1, length)),
      unitAt(word, i + 2, length),
    );
    addFeature(sums, finish(three), share);
    if (i + 3 <= length) addFeature(sums, finish(mix(three, unitAt(word, i + 3, length))), share);
  }
}

function spread(sums: Float64Array, seed: number, weight: number): void {
  const share = weight / Math.sqrt(WORD_DIMENSIONS);
  for (let i = 0; i < WORD_DIMENSIONS; i += 1)
    addFeature(sums, finish(seed + Math.imul(i, 0x9e3779b1)), share);
}

function weightOf(word: string): number {
  if (FUNCTION_WORDS.has(word)) return FUNCTION_WORD_WEIGHT;
  // Beyond Greek, Cyrillic, Arabic lie scripts with pairs for words: their length says nothing.
  if (word.charCodeAt(0) > 0x0dff) return 0.8;
  return LENGTH_WEIGHTS[word.length] ?? LENGTH_WEIGHT_MAX;
}

/** The lowest bits choose the sign, the others the dimension by multiplication: no modulo bias. */
function addFeature(sums: Float64Array, hash: number, weight: number): void {
  const dimension = Math.floor(((hash >>> 1) / 0x80000000) * sums.length);
  sums[dimension] = (sums[dimension] ?? 0) + ((hash & 1) === 0 ? weight : -weight);
}

/** Returns the direction of the sums; for zeros the one that stands for a text without words. */
export function unit(sums: Float64Array | Float32Array): Float32Array {
  let squares = 0;
  for (const value of sums) squares += value * value;
  const vector = new Float32Array(sums.length);
  if (squares === 0) {
    const side = 1 / Math.sqrt(sums.length);
    for (let i = 0; i < vector.length; i += 1) vector[i] = (hash32(`empty ${i}`) & 1) === 0 ? side : -side;
    return vector;
  }
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < vector.length; i += 1) vector[i] = (sums[i] ?? 0) * scale;
  return vector;
}

function unitAt(word: string, index: number, length: number): number {
  if (index < 0) return 0x2039;
  return index >= length ? 0x203a : word.charCodeAt(index);
}

function mix(hash: number, unitCode: number): number {
  return Math.imul(hash ^ unitCode, 0x01000193) + 0x5bd1e995;
}

function finish(start: number): number {
  let hash = start;
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
