import { lengthFactorOf, termWeightOf } from "../../../lexical/bm25.ts";
import { ColdFormatError } from "../../format-error.ts";
import { RAW_LENGTH } from "./posting-lengths.ts";

/**
 * Postings of one block.
 *
 * 128, as in Lucene. Over 608,095 provisions 64, 128, 256 read 313, 318, 322 KB a query; directories of 64 take a megabyte more of
 * a reader's memory.
 */
export const BLOCK_POSTINGS = 128;
/** Seven bits a byte: five bytes hold every uint32. */
const VARINT_SHIFT_MAX = 28;

/** Passages have some 80 terms, most of them once: a table saves a division for nearly every posting. */
const KNOWN_LENGTHS = 1_024;
const KNOWN_TFS = 8;
const WEIGHTS = Float32Array.from({ length: KNOWN_LENGTHS * KNOWN_TFS }, (_, at) =>
  termWeightOf((at % KNOWN_TFS) + 1, lengthFactorOf(Math.floor(at / KNOWN_TFS))),
);

/** Reads blocks of postings into two arrays that it reuses. */
export interface PostingDecoder {
  /** The rows of the block read last, ascending. */
  readonly rows: Uint32Array;
  /** The value of each. */
  readonly values: Float32Array;
  /** How often the term stands in each row; 0 for a raw row. */
  readonly frequencies: Uint16Array;
  /**
   * Reads `count` postings that begin at `at`, the last row before them being `previous` (−1 for none).
   *
   * Returns where they end. @throws {ColdFormatError} when they end outside the bytes, or name a row that is none.
   */
  decode(
    bytes: Uint8Array,
    at: number,
    options: { readonly count: number; readonly previous: number },
  ): number;
}

/**
 * Creates a decoder for rows of these lengths.
 *
 * A posting is a varint of (row − previous − 1)·2 + (1 when tf > 1), then a varint of tf − 2 when tf > 1. A row of
 * {@link RAW_LENGTH} has an even varint, then its value as float32.
 */
export function createPostingDecoder(lengths: Uint16Array): PostingDecoder {
  const rows = new Uint32Array(BLOCK_POSTINGS);
  const values = new Float32Array(BLOCK_POSTINGS);
  const frequencies = new Uint16Array(BLOCK_POSTINGS);
  const word = new DataView(new ArrayBuffer(4));
  const rowCount = lengths.length;
  return {
    rows,
    values,
    frequencies,
    decode(bytes, at, { count, previous }) {
      let row = previous;
      for (let i = 0; i < count; i += 1) {
        let step = bytes[at] ?? 0;
        at += 1;
        if (step >= 128) {
          step &= 127;
          for (let shift = 7; ; shift += 7) {
            const byte = bytes[at] ?? 0;
            at += 1;
            step |= (byte & 127) << shift;
            if (byte < 128) break;
            if (shift >= VARINT_SHIFT_MAX)
              throw new ColdFormatError("expected a varint of five bytes at most");
          }
        }
        row += (step >>> 1) + 1;
        const length = lengths[row] ?? 0;
        rows[i] = row;
        if (length === RAW_LENGTH) {
          for (let b = 0; b < 4; b += 1) word.setUint8(b, bytes[at + b] ?? 0);
          at += 4;
          values[i] = word.getFloat32(0, true);
          frequencies[i] = 0;
          continue;
        }
        let tf = 1;
        if ((step & 1) === 1) {
          tf = 2;
          for (let shift = 0; ; shift += 7) {
            const byte = bytes[at] ?? 0;
            at += 1;
            tf += (byte & 127) << shift;
            if (byte < 128) break;
            if (shift >= VARINT_SHIFT_MAX)
              throw new ColdFormatError("expected a varint of five bytes at most");
          }
        }
        frequencies[i] = tf;
        values[i] =
          tf <= KNOWN_TFS && length < KNOWN_LENGTHS
            ? (WEIGHTS[length * KNOWN_TFS + tf - 1] ?? 0)
            : termWeightOf(tf, lengthFactorOf(length));
      }
      if (at > bytes.length || row >= rowCount)
        throw new ColdFormatError(
          `expected ${count} postings of ${rowCount} rows inside ${bytes.length} bytes`,
        );
      return at;
    },
  };
}
