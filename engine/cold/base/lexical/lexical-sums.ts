import { createPostingDecoder, type PostingDecoder } from "./posting-decoder.ts";
import { type PostingRun, readRun, type RunBlocks } from "./posting-run.ts";

/**
 * What a row of a query has at least, so that 0 means that it has no term of it.
 *
 * Far below any weight; where scores come near it the threshold is dropped.
 */
export const PRESENT = 1e-30;

/** Rows share a bound with so many neighbours: two words of a bitmap, well below what a block of the most frequent term spans. */
export const WINDOW_BITS = 6;
export const WINDOW_ROWS = 1 << WINDOW_BITS;

/** Partial sums of a query's products, row by row. */
export class LexicalSums {
  /** 0 for a row without a term of the query. */
  readonly ofRow: Float32Array;
  /** The largest sum of each window, so that hardly any of a base's rows is looked at. */
  readonly peaks: Float32Array;
  readonly decoder: PostingDecoder;
  /** Blocks decoded. */
  blocks = 0;

  constructor(lengths: Uint16Array) {
    this.ofRow = new Float32Array(lengths.length);
    this.peaks = new Float32Array(Math.ceil(lengths.length / WINDOW_ROWS));
    this.decoder = createPostingDecoder(lengths);
  }

  /** Adds the products of a run; returns where its blocks are. */
  add(run: PostingRun, weight: number): RunBlocks {
    const { ofRow, peaks } = this;
    const { rows, values } = this.decoder;
    const blocks = readRun(run, this.decoder, (size) => {
      for (let i = 0; i < size; i += 1) {
        const row = rows[i] ?? 0;
        const sum = (ofRow[row] ?? 0) + weight * (values[i] ?? 0) + PRESENT;
        ofRow[row] = sum;
        if (sum > (peaks[row >>> WINDOW_BITS] ?? 0)) peaks[row >>> WINDOW_BITS] = sum;
      }
    });
    this.blocks += blocks.starts.length;
    return blocks;
  }

  /** Sets the sum of a row to a larger one. */
  raise(row: number, sum: number): void {
    this.ofRow[row] = sum;
    if (sum > (this.peaks[row >>> WINDOW_BITS] ?? 0)) this.peaks[row >>> WINDOW_BITS] = sum;
  }
}
