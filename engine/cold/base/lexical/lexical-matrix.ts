import { type Bitmap, createBitmap, hasBit, setBit } from "../../../index/bitmap.ts";
import { lengthFactorOf, termWeightOf } from "../../../lexical/bm25.ts";
import type { LexicalBounds } from "./lexical-bounds.ts";
import type { LexicalSections } from "./lexical-sections.ts";
import { type LexicalSums, PRESENT, WINDOW_ROWS } from "./lexical-sums.ts";
import type { LexicalThreshold } from "./lexical-threshold.ts";
import { placeInRow, REST_CODE, restValueOf } from "./term-matrix.ts";

/** A query's terms that are in the matrix: added to a row once that can matter. */
export class LexicalMatrix {
  readonly #sections: LexicalSections;
  readonly #terms: Uint32Array;
  readonly #words: Uint32Array;
  readonly #shifts: Uint32Array;
  readonly #weights: Float64Array;
  readonly #done: Bitmap;
  /** What all terms together can add to a row. */
  readonly #most: number;

  constructor(
    sections: LexicalSections,
    terms: readonly { readonly matrix: number; readonly weight: number }[],
  ) {
    const own = terms.filter(({ matrix }) => matrix >= 0);
    this.#sections = sections;
    this.#terms = Uint32Array.from(own, ({ matrix }) => matrix);
    this.#words = this.#terms.map((term) => placeInRow(term).word);
    this.#shifts = this.#terms.map((term) => placeInRow(term).shift);
    this.#weights = Float64Array.from(own, ({ weight }) => weight);
    this.#done = createBitmap(own.length === 0 ? 0 : sections.lengths.length);
    const { maxima } = sections.matrix;
    this.#most = own.reduce((sum, { matrix, weight }) => sum + weight * (maxima[matrix] ?? 0), 0);
  }

  get isEmpty(): boolean {
    return this.#terms.length === 0;
  }

  /** Adds the terms to each admitted row that can reach the threshold with them; the threshold rises on the way. */
  addTo(
    sums: LexicalSums,
    options: {
      readonly bounds: LexicalBounds;
      readonly threshold: LexicalThreshold;
      readonly admitted: Bitmap | null;
    },
  ): void {
    const { bounds, threshold, admitted } = options;
    const { ofRow, peaks } = sums;
    for (let window = 0; window < bounds.sums.length; window += 1) {
      const least = threshold.cut - (bounds.sums[window] ?? 0) - this.#most;
      if ((peaks[window] ?? 0) < least) continue;
      const end = Math.min((window + 1) * WINDOW_ROWS, ofRow.length);
      for (let row = window * WINDOW_ROWS; row < end; row += 1) {
        const sum = ofRow[row] ?? 0;
        if (sum < least || hasBit(this.#done, row)) continue;
        if (admitted !== null && !hasBit(admitted, row)) continue;
        setBit(this.#done, row);
        const more = this.#scoreOf(row);
        if (more === 0) continue;
        sums.raise(row, sum + more);
        threshold.offer(row, sum + more);
      }
    }
  }

  #scoreOf(row: number): number {
    const { matrix, lengths } = this.#sections;
    const factor = lengthFactorOf(lengths[row] ?? 0);
    const from = row * matrix.wordsPerRow;
    let sum = 0;
    for (let i = 0; i < this.#terms.length; i += 1) {
      const code = ((matrix.codes[from + (this.#words[i] ?? 0)] ?? 0) >>> (this.#shifts[i] ?? 0)) & REST_CODE;
      if (code === 0) continue;
      const value =
        code === REST_CODE ? restValueOf(matrix, this.#terms[i] ?? 0, row) : termWeightOf(code, factor);
      sum += (this.#weights[i] ?? 0) * value + PRESENT;
    }
    return sum;
  }
}
