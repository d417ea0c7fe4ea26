/** How often the most frequent terms stand in every row, in memory: four bits for each. */
import { lengthFactorOf, termWeightOf } from "../../../lexical/bm25.ts";
import { ColdFormatError } from "../../format-error.ts";

/**
 * Terms in the matrix at most: two words a row.
 *
 * Half of what queries read were blocks of terms that stand in a third of all rows, whose maxima bound little. A query of 608,095 provisions
 * read 692 KB without the matrix, 318 KB with 16 terms, 261 KB with 24, which take 2.4 MB more of memory.
 */
export const MATRIX_TERMS_MAX = 16;
/** A rarer term takes less space as postings: four bits a row against eleven a posting. */
export const MATRIX_SHARE_MIN = 1 / 3;
/** A term with more rows beside the matrix than this is left to postings: they would be resident. */
export const MATRIX_REST_SHARE_MAX = 1 / 16;
const TERM_BITS = 4;
const TERMS_PER_WORD = 8;
/** The code of a row whose value is kept beside the matrix: fifteen times or more often, or a raw row. */
export const REST_CODE = 15;

export interface TermMatrix {
  readonly rows: number;
  /** Ascending. */
  readonly ids: Uint32Array;
  /** In how many rows each stands. */
  readonly counts: Uint32Array;
  readonly wordsPerRow: number;
  /** `wordsPerRow` for each row, eight codes in each. */
  readonly codes: Uint32Array;
  /** Where the rest of each term begins, then the number of all. */
  readonly restStarts: Uint32Array;
  /** Rows with {@link REST_CODE}, term by term, ascending. */
  readonly restRows: Uint32Array;
  readonly restValues: Float32Array;
  /** No value of a term is larger. */
  readonly maxima: Float32Array;
}

/** Returns an empty matrix of these terms, with room for the rest. */
export function createTermMatrix(
  rows: number,
  { ids, rest }: { readonly ids: Uint32Array; readonly rest: number },
): TermMatrix {
  const wordsPerRow = Math.ceil(ids.length / TERMS_PER_WORD);
  return {
    rows,
    ids,
    wordsPerRow,
    counts: new Uint32Array(ids.length),
    codes: new Uint32Array(rows * wordsPerRow),
    restStarts: new Uint32Array(ids.length + 1),
    restRows: new Uint32Array(rest),
    restValues: new Float32Array(rest),
    maxima: new Float32Array(ids.length),
  };
}

/** Where the code of a term is: which word of a row, how far from its lowest bit. */
export function placeInRow(term: number): { readonly word: number; readonly shift: number } {
  return { word: Math.floor(term / TERMS_PER_WORD), shift: (term % TERMS_PER_WORD) * TERM_BITS };
}

/** Returns the value that a row of {@link REST_CODE} has for a term. @throws {ColdFormatError} when it has none. */
export function restValueOf(matrix: TermMatrix, term: number, row: number): number {
  let low = matrix.restStarts[term] ?? 0;
  let high = matrix.restStarts[term + 1] ?? 0;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((matrix.restRows[middle] ?? 0) < row) low = middle + 1;
    else high = middle;
  }
  if (matrix.restRows[low] !== row || low >= (matrix.restStarts[term + 1] ?? 0))
    throw new ColdFormatError(`expected the value of row ${row} beside the matrix of frequent terms`);
  return matrix.restValues[low] ?? 0;
}

/** Returns the value of a term in a row; −1 when it does not stand there. */
export function matrixValueOf(
  matrix: TermMatrix,
  { term, row, length }: { readonly term: number; readonly row: number; readonly length: number },
): number {
  const { word, shift } = placeInRow(term);
  const code = ((matrix.codes[row * matrix.wordsPerRow + word] ?? 0) >>> shift) & REST_CODE;
  if (code === 0) return -1;
  if (code === REST_CODE) return restValueOf(matrix, term, row);
  return Math.fround(termWeightOf(code, lengthFactorOf(length)));
}

/** Returns the matrix as three sections: terms, codes, rest. */
export function encodeTermMatrix(matrix: TermMatrix): readonly [Uint8Array, Uint8Array, Uint8Array] {
  const { ids, counts, codes, restStarts, restRows, restValues } = matrix;
  const rest = new Uint8Array(restRows.byteLength * 2);
  rest.set(new Uint8Array(restRows.buffer, restRows.byteOffset, restRows.byteLength));
  rest.set(
    new Uint8Array(restValues.buffer, restValues.byteOffset, restValues.byteLength),
    restRows.byteLength,
  );
  return [
    new Uint8Array(Uint32Array.from([...ids, ...counts, ...restStarts]).buffer),
    new Uint8Array(codes.buffer, codes.byteOffset, codes.byteLength),
    rest,
  ];
}

/** Reads the matrix from the numbers of its sections. @throws {ColdFormatError} when they contradict each other. */
export function decodeTermMatrix(
  rows: number,
  {
    terms,
    codes,
    rest,
  }: { readonly terms: Uint32Array; readonly codes: Uint32Array; readonly rest: Uint32Array },
): TermMatrix {
  const count = (terms.length - 1) / 3;
  if (!Number.isInteger(count) || count > MATRIX_TERMS_MAX)
    throw new ColdFormatError("expected three numbers for each term of the matrix");
  const restStarts = terms.subarray(count * 2);
  const wordsPerRow = Math.ceil(count / TERMS_PER_WORD);
  const total = rest.length / 2;
  if (codes.length !== rows * wordsPerRow)
    throw new ColdFormatError(`expected a matrix of ${rows} rows, ${wordsPerRow} words each`);
  if (restStarts[0] !== 0 || restStarts[count] !== total || restStarts.some((start) => start > total))
    throw new ColdFormatError(`expected ${total} values beside the matrix`);
  const restValues = new Float32Array(rest.buffer, rest.byteOffset + total * 4, total);
  return {
    rows,
    wordsPerRow,
    codes,
    restStarts,
    restValues,
    maxima: maximaOf(restStarts, restValues),
    ids: terms.subarray(0, count),
    counts: terms.subarray(count, count * 2),
    restRows: rest.subarray(0, total),
  };
}

function maximaOf(restStarts: Uint32Array, restValues: Float32Array): Float32Array {
  return Float32Array.from({ length: restStarts.length - 1 }, (_, term) => {
    let most = termWeightOf(1, 0);
    for (let i = restStarts[term] ?? 0; i < (restStarts[term + 1] ?? 0); i += 1)
      most = Math.max(most, restValues[i] ?? 0);
    return most;
  });
}
