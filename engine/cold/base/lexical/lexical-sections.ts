/** The resident part of a lexical index: where each term's postings are, how long each passage is. */
import { ColdFormatError } from "../../format-error.ts";
import { decodeTermMatrix, encodeTermMatrix, type TermMatrix } from "./term-matrix.ts";
import { decodePieces, encodePieces, type Piece } from "../piece.ts";
import { type Sections, sectionOf } from "../section-file.ts";

/** A term of at most so many passages has its postings beside it in the dictionary page: one read gets both. */
export const INLINE_POSTINGS_MAX = 512;
/**
 * A term of at least so many passages has a directory of its blocks.
 *
 * Below it all postings take 13 KB at most, 3 KB on average: less than a second read is worth, so they are read whole.
 */
export const DIRECTORY_POSTINGS_MIN = 8_192;

/** Terms that are too frequent for a page, ascending by id. */
export interface FrequentTerms {
  readonly ids: Uint32Array;
  /** In how many rows each stands. */
  readonly counts: Uint32Array;
  /** The first piece of each, then the number of all. */
  readonly firstPieces: Uint32Array;
}

export interface LexicalSections {
  readonly residentBytes: number;
  /** Terms of each row's passage; 65,535 for a row whose values are kept as they are. */
  readonly lengths: Uint16Array;
  /** The first term of each dictionary page. */
  readonly pageTerms: Uint32Array;
  readonly pages: PieceTable;
  readonly frequent: FrequentTerms;
  readonly pieces: PieceTable;
  /** The number of each frequent term's directory, −1 for a term that has none. */
  readonly directoryOf: Int32Array;
  /** Where each directory begins in `directories`, then its length. */
  readonly directoryStarts: Uint32Array;
  readonly directories: Uint8Array;
  /** A Bloom filter of the terms in dictionary pages. */
  readonly filter: Uint8Array;
  readonly matrix: TermMatrix;
}

export type PieceTable = ReturnType<typeof decodePieces>;

const LENGTHS = "lexLengths";
const PAGE_TERMS = "lexPageTerms";
const PAGES = "lexPages";
const TERMS = "lexTerms";
const PIECES = "lexPieces";
const DIRECTORY_STARTS = "lexBlockStarts";
const DIRECTORIES = "lexBlocks";
const FILTER = "lexFilter";
const MATRIX = ["lexMatrixTerms", "lexMatrix", "lexMatrixRest"] as const;
const NAMES = [LENGTHS, PAGE_TERMS, PAGES, TERMS, PIECES, DIRECTORY_STARTS, DIRECTORIES, FILTER, ...MATRIX];

/** Returns the sections of a base's root that {@link decodeLexicalSections} reads. */
export function encodeLexicalSections(parts: {
  readonly lengths: Uint16Array;
  readonly pageTerms: readonly number[];
  readonly pages: readonly Piece[];
  readonly frequent: {
    readonly ids: readonly number[];
    readonly counts: readonly number[];
    readonly firstPieces: readonly number[];
  };
  readonly pieces: readonly Piece[];
  readonly directories: readonly Uint8Array[];
  readonly filter: Uint8Array;
  readonly matrix: TermMatrix;
}): Sections {
  const { ids, counts, firstPieces } = parts.frequent;
  const { buffer, byteOffset, byteLength } = parts.lengths;
  const starts = new Uint32Array(parts.directories.length + 1);
  parts.directories.forEach(({ length }, i) => (starts[i + 1] = (starts[i] ?? 0) + length));
  const directories = new Uint8Array(starts.at(-1) ?? 0);
  parts.directories.forEach((bytes, i) => directories.set(bytes, starts[i]));
  const [terms, codes, rest] = encodeTermMatrix(parts.matrix);
  return new Map([
    [LENGTHS, new Uint8Array(buffer, byteOffset, byteLength)],
    [PAGE_TERMS, new Uint8Array(Uint32Array.from(parts.pageTerms).buffer)],
    [PAGES, encodePieces(parts.pages)],
    [TERMS, new Uint8Array(Uint32Array.from([...ids, ...counts, ...firstPieces]).buffer)],
    [PIECES, encodePieces(parts.pieces)],
    [DIRECTORY_STARTS, new Uint8Array(starts.buffer)],
    [DIRECTORIES, directories],
    [FILTER, parts.filter],
    [MATRIX[0], terms],
    [MATRIX[1], codes],
    [MATRIX[2], rest],
  ]);
}

/** Reads the sections. @throws {ColdFormatError} when they contradict each other. */
export function decodeLexicalSections(sections: Sections): LexicalSections {
  const bytesOf = (name: string) => sectionOf(sections, name);
  const lengthBytes = bytesOf(LENGTHS);
  if (lengthBytes.byteLength % 2 !== 0) throw new ColdFormatError(`expected two bytes a row in ${LENGTHS}`);
  const aligned = lengthBytes.byteOffset % 2 === 0 ? lengthBytes : Uint8Array.from(lengthBytes);
  const lengths = new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 2);
  const pageTerms = uint32sOf(bytesOf(PAGE_TERMS), PAGE_TERMS);
  const pages = decodePieces("postings", bytesOf(PAGES));
  expectAscending(pageTerms, PAGE_TERMS);
  if (pages.count !== pageTerms.length)
    throw new ColdFormatError(`expected ${pageTerms.length} pieces in ${PAGES}, got ${pages.count}`);
  const pieces = decodePieces("postings", bytesOf(PIECES));
  const frequent = frequentOf(uint32sOf(bytesOf(TERMS), TERMS), {
    rows: lengths.length,
    pieces: pieces.count,
  });
  const directoryOf = directoriesOf(frequent);
  const directories = bytesOf(DIRECTORIES);
  const directoryStarts = uint32sOf(bytesOf(DIRECTORY_STARTS), DIRECTORY_STARTS);
  const count = directoryOf.reduce((most, directory) => Math.max(most, directory + 1), 0);
  expectAscending(directoryStarts, DIRECTORY_STARTS);
  if (directoryStarts.length !== count + 1 || directoryStarts[count] !== directories.byteLength)
    throw new ColdFormatError(`expected ${count} directories in ${DIRECTORIES}`);
  const residentBytes =
    NAMES.reduce((sum, name) => sum + bytesOf(name).byteLength, 0) + directoryOf.byteLength;
  const filter = bytesOf(FILTER);
  const numbersOf = (name: string) => uint32sOf(bytesOf(name), name);
  const [terms, codes, rest] = [numbersOf(MATRIX[0]), numbersOf(MATRIX[1]), numbersOf(MATRIX[2])];
  const matrix = decodeTermMatrix(lengths.length, { terms, codes, rest });
  return {
    residentBytes,
    lengths,
    pageTerms,
    pages,
    frequent,
    pieces,
    directoryOf,
    directoryStarts,
    directories,
    filter,
    matrix,
  };
}

function directoriesOf({ counts }: FrequentTerms): Int32Array {
  let next = 0;
  return Int32Array.from(counts, (count) => {
    if (count < DIRECTORY_POSTINGS_MIN) return -1;
    next += 1;
    return next - 1;
  });
}

/** Returns the place of the last number that is at most `wanted`; −1 when there is none. */
export function lastAtMost(ascending: Uint32Array, wanted: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function frequentOf(
  table: Uint32Array,
  { rows, pieces }: { readonly rows: number; readonly pieces: number },
): FrequentTerms {
  const terms = (table.length - 1) / 3;
  if (!Number.isInteger(terms)) throw new ColdFormatError(`expected three numbers a term in ${TERMS}`);
  const ids = table.subarray(0, terms);
  const counts = table.subarray(terms, terms * 2);
  const firstPieces = table.subarray(terms * 2);
  expectAscending(ids, TERMS);
  expectAscending(firstPieces, TERMS);
  if (firstPieces[0] !== 0 || firstPieces[terms] !== pieces)
    throw new ColdFormatError(`expected ${pieces} pieces in ${TERMS}`);
  if (counts.some((count) => count > rows))
    throw new ColdFormatError(`expected no term in more than ${rows} rows`);
  return { ids, counts, firstPieces };
}

function expectAscending(numbers: Uint32Array, name: string): void {
  for (let i = 1; i < numbers.length; i += 1)
    if ((numbers[i] ?? 0) <= (numbers[i - 1] ?? 0))
      throw new ColdFormatError(`expected ascending numbers in ${name}`);
}

function uint32sOf(bytes: Uint8Array, name: string): Uint32Array {
  if (bytes.byteLength % 4 !== 0) throw new ColdFormatError(`expected four bytes a number in ${name}`);
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / 4);
}
