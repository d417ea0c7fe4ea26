/** A lexical query while it is answered. */
import { type Bitmap, clearBit } from "../../../index/bitmap.ts";
import { fullBitmap } from "../documents/document-bitmap.ts";
import { hasBitBetween, LexicalBounds } from "./lexical-bounds.ts";
import type { LexicalSections } from "./lexical-sections.ts";
import type { RowRange } from "../parts.ts";
import type { Piece } from "../piece.ts";
import { ByteReader } from "./posting-bytes.ts";
import { BLOCK_POSTINGS } from "./posting-decoder.ts";
import type { PostingDirectory } from "./posting-directory.ts";
import type { PostingRun } from "./posting-run.ts";

/** One term of a query. */
export interface QueryTerm {
  readonly id: number;
  readonly weight: number;
  /** Its number in the matrix; −1 for a term that is not there. */
  readonly matrix: number;
  /** Its number among the frequent terms; −1 for a term that is none. */
  readonly frequent: number;
  /** The blocks that may still be read; null when there are none or all were. */
  directory: PostingDirectory | null;
  /** What was read of it. */
  runs: PostingRun[];
  /** Whether `runs` was given up for want of memory. */
  released: boolean;
}

/** A piece with what becomes of it. */
export interface Ask {
  readonly piece: Piece;
  /** Returns the rows that it may have postings of; null for any. */
  rows(): RowRange | null;
  take(bytes: Uint8Array): void;
}

/** Returns what to read for all postings of a frequent term. */
export function askWhole(
  term: QueryTerm,
  { frequent, pieces }: LexicalSections,
  /** Of a term that has one: tells which rows a piece that is lost was about. */
  directory: (() => PostingDirectory) | null,
): Ask[] {
  const from = frequent.firstPieces[term.frequent] ?? 0;
  const end = frequent.firstPieces[term.frequent + 1] ?? 0;
  return Array.from({ length: end - from }, (_, i) => ({
    piece: pieces.at(from + i),
    rows: () => (directory === null ? null : rowsOfPiece(directory(), i)),
    take(bytes) {
      const reader = new ByteReader(bytes);
      const count = reader.varint();
      term.runs.push({ bytes, at: reader.at, end: bytes.length, count, previous: -1 });
    },
  }));
}

/** Returns what to read for the blocks of a term that reach into the rows. */
export function askBlocks(term: QueryTerm, rows: Bitmap, { frequent, pieces }: LexicalSections): Ask[] {
  const { directory } = term;
  if (directory === null) return [];
  const first = frequent.firstPieces[term.frequent] ?? 0;
  const count = frequent.counts[term.frequent] ?? 0;
  const asks: Ask[] = [];
  let blocks: number[] = [];
  let range = { from: 0, to: 0 };
  for (let block = 0; block < directory.blocks; block += 1) {
    const piece = directory.pieces[block] ?? 0;
    if (block > 0 && piece !== directory.pieces[block - 1]) blocks = [];
    const previous = block === 0 ? -1 : (directory.lasts[block - 1] ?? 0);
    if (!hasBitBetween(rows, previous + 1, directory.lasts[block] ?? 0)) continue;
    blocks.push(block);
    const to = (directory.lasts[block] ?? 0) + 1;
    if (blocks.length > 1) {
      range.to = to;
      continue;
    }
    const ofPiece = blocks;
    const ofRows = { from: previous + 1, to };
    range = ofRows;
    asks.push({
      piece: pieces.at(first + piece),
      rows: () => ofRows,
      take(bytes) {
        for (const wanted of ofPiece) term.runs.push(runOf(bytes, directory, { block: wanted, count }));
      },
    });
  }
  return asks;
}

function rowsOfPiece({ blocks, pieces, lasts }: PostingDirectory, piece: number): RowRange {
  const of = Array.from({ length: blocks }, (_, block) => block).filter((block) => pieces[block] === piece);
  const [first = 0] = of;
  return { from: first === 0 ? 0 : (lasts[first - 1] ?? 0) + 1, to: (lasts[of.at(-1) ?? 0] ?? 0) + 1 };
}

function runOf(
  bytes: Uint8Array,
  directory: PostingDirectory,
  { block, count }: { readonly block: number; readonly count: number },
): PostingRun {
  const startsPiece = block === 0 || directory.pieces[block] !== directory.pieces[block - 1];
  const head = new ByteReader(bytes);
  head.varint();
  return {
    bytes,
    at: head.at + (directory.offsets[block] ?? 0),
    end: null,
    count: Math.min(BLOCK_POSTINGS, count - block * BLOCK_POSTINGS),
    previous: startsPiece ? -1 : (directory.lasts[block - 1] ?? 0),
  };
}

/** Returns the set, or that of all rows, without those of the range. */
export function withoutRows(set: Bitmap | null, { from, to }: RowRange, rows: number): Bitmap {
  const left = set === null ? fullBitmap(rows) : { words: set.words.slice() };
  for (let row = from; row < to; row += 1) clearBit(left, row);
  return left;
}

/** Returns the bounds of what the terms' unread blocks can add. */
export function boundsOf(terms: readonly QueryTerm[], rows: number): LexicalBounds {
  const bounds = new LexicalBounds(rows);
  for (const { directory, weight } of terms) if (directory !== null) bounds.add(directory, weight);
  return bounds;
}

export function bytesOf(asks: readonly Ask[]): number {
  let bytes = 0;
  for (const { piece } of asks) bytes += piece.length;
  return bytes;
}

/** Cuts the asks where more would be in memory than may. */
export function* partsOf(asks: readonly Ask[], bytesMax: number): Generator<readonly Ask[]> {
  let part: Ask[] = [];
  let bytes = 0;
  for (const ask of asks) {
    if (bytes > 0 && bytes + ask.piece.length > bytesMax) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(ask);
    bytes += ask.piece.length;
  }
  if (part.length > 0) yield part;
}
