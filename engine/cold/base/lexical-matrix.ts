import { type Bitmap, createBitmap, hasBit, setBit } from "../../index/bitmap.ts";
import { lengthFactorOf, termWeightOf } from "../../lexical/bm25.ts";
import { boundOfRow, type LexicalBounds } from "./lexical-bounds.ts";
import type { LexicalSections } from "./lexical-sections.ts";
import type { LexicalThreshold } from "./lexical-threshold.ts";
import { matrixMaxima, placeInRow, REST_CODE, restValueOf } from "./term-matrix.ts";

/**
 * What a row of a query has at least, so that 0 means that it has no term of it.
 *
 * Far below any weight; where scores come near it the threshold is dropped.
 */
export const PRESENT = 1e-30;

/** A query's terms that are in the matrix: added to a row once that can matter. */
export class LexicalMatrix {
  readonly #sections: LexicalSections;
  readonly #numbers: readonly number[];
  readonly #weights: readonly number[];
  readonly #done: Bitmap;
  readonly #most: number;

  constructor(
    sections: LexicalSections,
    terms: readonly { readonly matrix: number; readonly weight: number }[],
  ) {
    const own = terms.filter(({ matrix }) => matrix >= 0);
    this.#sections = sections;
    this.#numbers = own.map(({ matrix }) => matrix);
    this.#weights = own.map(({ weight }) => weight);
    this.#done = createBitmap(own.length === 0 ? 0 : sections.lengths.length);
    const maxima = own.length === 0 ? [] : matrixMaxima(sections.matrix);
    this.#most = own.reduce((sum, { matrix, weight }) => sum + weight * (maxima[matrix] ?? 0), 0);
  }

  get isEmpty(): boolean {
    return this.#numbers.length === 0;
  }

  /** Adds the terms to each admitted row that can reach the threshold with them; the threshold rises on the way. */
  addTo(
    sums: Float32Array,
    options: {
      readonly bounds: LexicalBounds;
      readonly threshold: LexicalThreshold;
      readonly admitted: Bitmap | null;
    },
  ): void {
    const { bounds, threshold, admitted } = options;
    for (let row = 0; row < sums.length; row += 1) {
      const sum = sums[row] ?? 0;
      if (sum + boundOfRow(bounds, row) + this.#most < threshold.cut) continue;
      if (hasBit(this.#done, row) || (admitted !== null && !hasBit(admitted, row))) continue;
      setBit(this.#done, row);
      const more = this.#scoreOf(row);
      if (more === 0) continue;
      sums[row] = sum + more;
      threshold.offer(row, sum + more);
    }
  }

  #scoreOf(row: number): number {
    const { matrix, lengths } = this.#sections;
    const factor = lengthFactorOf(lengths[row] ?? 0);
    const from = row * matrix.wordsPerRow;
    let sum = 0;
    for (let i = 0; i < this.#numbers.length; i += 1) {
      const term = this.#numbers[i] ?? 0;
      const { word, shift } = placeInRow(term);
      const code = ((matrix.codes[from + word] ?? 0) >>> shift) & REST_CODE;
      if (code === 0) continue;
      const value = code === REST_CODE ? restValueOf(matrix, term, row) : termWeightOf(code, factor);
      sum += (this.#weights[i] ?? 0) * value + PRESENT;
    }
    return sum;
  }
}
