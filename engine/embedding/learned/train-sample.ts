import { hash32 } from "../../text/hash.ts";
import { wordAt } from "../../text/lexicon.ts";
import { scanWords } from "../../text/words.ts";
import { countWeight } from "./count-weight.ts";
import { KindBalance } from "./train-balance.ts";
import type { Vocabulary } from "./train-count.ts";

/** One row for each sampled passage: for row r the columns and weights from starts[r] to starts[r + 1]. */
export interface SparseRows {
  readonly starts: Uint32Array;
  readonly columns: Uint32Array;
  readonly weights: Float32Array;
  /** How long each row is to become. */
  readonly lengths: Float32Array;
}

/** So much of a passage tells its kind; reading all of every passage would double the time of the second pass. */
const OPENING_UNITS_MAX = 256;
/** A corpus of many small kinds may be sampled above its mean rate, never without end. */
const OVERSHOOT_MAX = 2;

/**
 * Collects a sample of passages as rows over the vocabulary.
 *
 * A passage is chosen by the hash of its text, so the same corpus gives the same sample in any order, while a text that
 * stands in many passages is taken once: versions of one provision would otherwise weigh as many. Passages of a rare kind are chosen
 * more often; what choosing leaves of their share, the length of the row makes up.
 */
export class SampleCollector {
  readonly #seed: number;
  readonly #rate: number;
  readonly #balance: KindBalance;
  readonly #lengths: number[] = [];
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
    this.#rate = Math.min(1, options.passagesMax / Math.max(1, vocabulary.passages));
    this.#balance = new KindBalance(vocabulary);
    this.#counts = new Uint16Array(vocabulary.words.length);
    vocabulary.words.forEach((word, column) => this.#columns.set(word, column));
  }

  add(text: string): void {
    const hash = mixed(hash32(text) ^ this.#seed);
    if (this.#taken.has(hash) || this.#taken.size >= this.#passagesMax * OVERSHOOT_MAX) return;
    const share = this.#shareOf(text.slice(0, OPENING_UNITS_MAX));
    if (hash >= share * 2 ** 32) return;
    this.#taken.add(hash);
    const touched = this.#count(text);
    this.#lengths.push(Math.sqrt((this.#balance.boostOf(touched) * this.#rate) / share));
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
      lengths: Float32Array.from(this.#lengths),
    };
  }

  /** Returns the part of passages like this one that is chosen. */
  #shareOf(opening: string): number {
    if (this.#rate === 1) return 1;
    const touched = this.#count(opening);
    for (const column of touched) this.#counts[column] = 0;
    return Math.min(1, this.#rate * this.#balance.boostOf(touched));
  }

  #count(text: string): number[] {
    const touched: number[] = [];
    for (const place of scanWords(text)) {
      const column = this.#columns.get(wordAt(text, place).folded.term);
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

/** Multiplies each weight by its column's, then scales each row to its length. */
export function weighRows({ starts, columns, weights, lengths }: SparseRows, byColumn: Float64Array): void {
  for (let row = 0; row + 1 < starts.length; row += 1) {
    const from = starts[row] ?? 0;
    const end = starts[row + 1] ?? 0;
    let squares = 0;
    for (let at = from; at < end; at += 1) {
      const weight = (weights[at] ?? 0) * (byColumn[columns[at] ?? 0] ?? 0);
      weights[at] = weight;
      squares += weight * weight;
    }
    const scale = squares === 0 ? 0 : (lengths[row] ?? 1) / Math.sqrt(squares);
    for (let at = from; at < end; at += 1) weights[at] = (weights[at] ?? 0) * scale;
  }
}

function mixed(start: number): number {
  let hash = Math.imul(start ^ (start >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}
