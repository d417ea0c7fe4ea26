import type { Bitmap } from "../../../index/bitmap.ts";
import { createBitmap } from "../../../index/bitmap.ts";
import { type LexicalSums, WINDOW_BITS, WINDOW_ROWS } from "./lexical-sums.ts";
import type { PostingDirectory } from "./posting-directory.ts";

/** What the terms whose postings were not read can add to a row at most, window by window. */
export class LexicalBounds {
  readonly #rows: number;
  /** The bound of each window. */
  readonly sums: Float32Array;
  readonly #ofTerm: Float32Array;

  constructor(rows: number) {
    this.#rows = rows;
    const windows = Math.ceil(rows / WINDOW_ROWS);
    this.sums = new Float32Array(windows);
    this.#ofTerm = new Float32Array(windows);
  }

  /** Adds a term: in each window the largest maximum of the blocks that reach into it. */
  add(directory: PostingDirectory, weight: number): void {
    const bounds = this.#ofTerm.fill(0);
    let from = 0;
    for (let block = 0; block < directory.blocks; block += 1) {
      const last = directory.lasts[block] ?? 0;
      const most = Math.fround(weight * (directory.maxima[block] ?? 0));
      for (let window = from >>> WINDOW_BITS; window <= last >>> WINDOW_BITS; window += 1)
        if ((bounds[window] ?? 0) < most) bounds[window] = most;
      from = last + 1;
    }
    for (let window = 0; window < bounds.length; window += 1)
      this.sums[window] = (this.sums[window] ?? 0) + (bounds[window] ?? 0);
  }

  /** The rows that can reach the threshold with the sums that they have; only admitted ones. */
  live({ ofRow, peaks }: LexicalSums, threshold: number, admitted: Bitmap | null): Bitmap {
    const live = createBitmap(this.#rows);
    const { words } = live;
    for (let window = 0; window < this.sums.length; window += 1) {
      const needed = threshold - (this.sums[window] ?? 0);
      if ((peaks[window] ?? 0) < needed) continue;
      const from = window << WINDOW_BITS;
      const end = Math.min(from + WINDOW_ROWS, this.#rows);
      for (let row = from; row < end; row += 1)
        if ((ofRow[row] ?? 0) >= needed) words[row >>> 5] = (words[row >>> 5] ?? 0) | (1 << (row & 31));
    }
    if (admitted !== null)
      for (let i = 0; i < words.length; i += 1) words[i] = (words[i] ?? 0) & (admitted.words[i] ?? 0);
    return live;
  }
}

/** Returns whether one of the rows from `from` to `to`, both included, is in the set. */
export function hasBitBetween({ words }: Bitmap, from: number, to: number): boolean {
  const first = from >>> 5;
  const last = to >>> 5;
  for (let i = first; i <= last; i += 1) {
    let word = words[i] ?? 0;
    if (i === first) word &= ~0 << (from & 31);
    if (i === last) word &= ~0 >>> (31 - (to & 31));
    if (word !== 0) return true;
  }
  return false;
}
