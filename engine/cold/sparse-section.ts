import type { SparseVector } from "../lexical/bm25.ts";
import type { ColdPassage } from "./passage.ts";

/** The postings of a segment: for each term the rows that have it, ascending. */
export interface SegmentPostings {
  forEach(term: number, visit: (row: number, value: number) => void): void;
  /** The sparse vector of every row, put together again. */
  vectors(rows: number): readonly SparseVector[];
}

/** A row number takes two bytes up to here, else four. */
const NARROW_ROWS_MAX = 65_536;

/** Returns the sections: sorted terms with the start of each in the postings; all rows, then all values. */
export function encodePostings(passages: readonly ColdPassage[]): {
  readonly terms: Uint8Array;
  readonly postings: Uint8Array;
} {
  const counts = new Map<number, number>();
  let total = 0;
  for (const { sparse } of passages) {
    total += sparse.indices.length;
    for (const term of sparse.indices) counts.set(term, (counts.get(term) ?? 0) + 1);
  }
  const sorted = Uint32Array.from(counts.keys()).sort();
  const terms = new Uint32Array(sorted.length * 2 + 1);
  terms.set(sorted);
  const next = new Map<number, number>();
  let start = 0;
  sorted.forEach((term, i) => {
    terms[sorted.length + i] = start;
    next.set(term, start);
    start += counts.get(term) ?? 0;
  });
  terms[sorted.length * 2] = start;
  const rowBytes = passages.length <= NARROW_ROWS_MAX ? 2 : 4;
  const valuesAt = Math.ceil((total * rowBytes) / 4) * 4;
  const postings = new DataView(new ArrayBuffer(valuesAt + total * 4));
  passages.forEach(({ sparse }, row) => {
    sparse.indices.forEach((term, i) => {
      const at = next.get(term) ?? 0;
      next.set(term, at + 1);
      if (rowBytes === 2) postings.setUint16(at * 2, row, true);
      else postings.setUint32(at * 4, row, true);
      postings.setFloat32(valuesAt + at * 4, sparse.values[i] ?? 0, true);
    });
  });
  return { terms: littleEndian(terms), postings: new Uint8Array(postings.buffer) };
}

/** Returns the postings of two sections that passed their checksums. */
export function decodePostings(options: {
  readonly terms: Uint8Array;
  readonly postings: Uint8Array;
  readonly passages: number;
}): SegmentPostings {
  const table = uint32sOf(options.terms);
  const termCount = (table.length - 1) / 2;
  const terms = table.subarray(0, termCount);
  const starts = table.subarray(termCount);
  const total = starts[termCount] ?? 0;
  const rowBytes = options.passages <= NARROW_ROWS_MAX ? 2 : 4;
  const { buffer, byteOffset } = options.postings.slice();
  const rows =
    rowBytes === 2 ? new Uint16Array(buffer, byteOffset, total) : new Uint32Array(buffer, byteOffset, total);
  const values = new Float32Array(buffer, byteOffset + Math.ceil((total * rowBytes) / 4) * 4, total);
  return {
    forEach(term, visit) {
      const at = lowerBound(terms, term);
      if (terms[at] !== term) return;
      const end = starts[at + 1] ?? 0;
      for (let i = starts[at] ?? 0; i < end; i += 1) visit(rows[i] ?? 0, values[i] ?? 0);
    },
    vectors(count) {
      const lengths = new Uint32Array(count);
      for (const row of rows) lengths[row] = (lengths[row] ?? 0) + 1;
      const vectors = Array.from(lengths, (length) => ({
        indices: new Uint32Array(length),
        values: new Float32Array(length),
      }));
      const filled = new Uint32Array(count);
      terms.forEach((term, at) => {
        for (let i = starts[at] ?? 0; i < (starts[at + 1] ?? 0); i += 1) {
          const row = rows[i] ?? 0;
          const vector = vectors[row];
          const place = filled[row] ?? 0;
          if (vector !== undefined) {
            vector.indices[place] = term;
            vector.values[place] = values[i] ?? 0;
          }
          filled[row] = place + 1;
        }
      });
      return vectors;
    },
  };
}

function lowerBound(sorted: Uint32Array, wanted: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Returns the bytes of the numbers; every runtime that we have is little-endian, as is the format. */
export function littleEndian(numbers: Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

/** Returns a copy of the bytes as numbers: a section need not start where a typed array may. */
export function uint32sOf(bytes: Uint8Array): Uint32Array {
  const copy = bytes.slice();
  return new Uint32Array(copy.buffer, copy.byteOffset, copy.byteLength / 4);
}

/** Returns a copy of the bytes as float32. */
export function float32sOf(bytes: Uint8Array): Float32Array {
  const copy = bytes.slice();
  return new Float32Array(copy.buffer, copy.byteOffset, copy.byteLength / 4);
}
