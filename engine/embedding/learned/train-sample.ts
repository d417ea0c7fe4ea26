import { hash32 } from "../../text/hash.ts";
import { wordOf } from "../../text/lexicon.ts";
import { scanWords } from "../../text/words.ts";
import { countWeight } from "./count-weight.ts";
import type { Vocabulary } from "./train-count.ts";

/** One row for each sampled passage: for row r the columns and weights from starts[r] to starts[r + 1]. */
export interface SparseRows {
  readonly starts: Uint32Array;
  readonly columns: Uint32Array;
  readonly weights: Float32Array;
}

/**
 * Collects a sample of passages as rows over the vocabulary.
 *
 * A passage is chosen by the hash of its text, so the same corpus gives the same sample in any order, while a text that
 * stands in many passages is taken once: versions of one provision would otherwise weigh as many.
 */
export class SampleCollector {
  readonly #seed: number;
  readonly #threshold: number;
  readonly #passagesMax: number;
  readonly #columns = new Map<string, number>();
  readonly #counts: Uint16Array;
  readonly #taken = new Set<number>();
  readonly #starts: number[] = [0];
  #rows = new Uint32Array(1 << 20);
  #weights = new Float32Array(1 << 20);
  #filled = 0;

  constructor(vocabulary: Vocabulary, options: { readonly passagesMax: number; readonly seed: number }) {
    this.#passagesMax = options.passagesMax;
    this.#seed = options.seed;
    this.#threshold = Math.min(1, options.passagesMax / Math.max(1, vocabulary.passages)) * 2 ** 32;
    this.#counts = new Uint16Array(vocabulary.words.length);
    vocabulary.words.forEach((word, column) => this.#columns.set(word, column));
  }

  add(text: string): void {
    const hash = mixed(hash32(text) ^ this.#seed);
    if (hash >= this.#threshold || this.#taken.has(hash) || this.#taken.size >= this.#passagesMax) return;
    this.#taken.add(hash);
    const touched = this.#count(text);
    this.#reserve(touched.length);
    for (const column of touched) {
      this.#rows[this.#filled] = column;
      this.#weights[this.#filled] = countWeight(this.#counts[column] ?? 0);
      this.#filled += 1;
      this.#counts[column] = 0;
    }
    this.#starts.push(this.#filled);
  }

  /** Returns the rows with what the counts in a passage alone weigh. */
  finish(): SparseRows {
    return {
      starts: Uint32Array.from(this.#starts),
      columns: this.#rows.subarray(0, this.#filled),
      weights: this.#weights.subarray(0, this.#filled),
    };
  }

  #count(text: string): number[] {
    const touched: number[] = [];
    for (const { start, end } of scanWords(text)) {
      const column = this.#columns.get(wordOf(text.slice(start, end)).folded);
      if (column === undefined) continue;
      const count = this.#counts[column] ?? 0;
      if (count === 0) touched.push(column);
      this.#counts[column] = Math.min(count + 1, 0xffff);
    }
    return touched;
  }

  #reserve(entries: number): void {
    if (this.#filled + entries <= this.#rows.length) return;
    const length = Math.max(this.#rows.length * 2, this.#filled + entries);
    const rows = new Uint32Array(length);
    rows.set(this.#rows);
    const weights = new Float32Array(length);
    weights.set(this.#weights);
    this.#rows = rows;
    this.#weights = weights;
  }
}

/** Multiplies each weight by its column's, then scales each row to unit length. */
export function weighRows({ starts, columns, weights }: SparseRows, byColumn: Float64Array): void {
  for (let row = 0; row + 1 < starts.length; row += 1) {
    const from = starts[row] ?? 0;
    const end = starts[row + 1] ?? 0;
    let squares = 0;
    for (let at = from; at < end; at += 1) {
      const weight = (weights[at] ?? 0) * (byColumn[columns[at] ?? 0] ?? 0);
      weights[at] = weight;
      squares += weight * weight;
    }
    const scale = squares === 0 ? 0 : 1 / Math.sqrt(squares);
    for (let at = from; at < end; at += 1) weights[at] = (weights[at] ?? 0) * scale;
  }
}

function mixed(start: number): number {
  let hash = Math.imul(start ^ (start >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
