/** The seams between the parts of a base: what each one is built from, what it answers. */
import type { Filter } from "@kattegat/protocol/filter.ts";
import type { Bitmap } from "../../index/bitmap.ts";
import type { SparseVector } from "../../lexical/bm25.ts";
import type { BaseFile, Piece, PieceTable, ReadPieces } from "./piece.ts";

/**
 * A row is a passage's number in its base: rows of one list lie together, near lists lie near.
 * A document is numbered by its first row's place among first rows.
 */
export interface RowHit {
  readonly row: number;
  readonly score: number;
}

export interface RowSearchOptions {
  /** So many of the best groups are wanted. */
  readonly wanted: number;
  /** The rows that may be found; null for all. */
  readonly admitted: Bitmap | null;
  /** Of rows in one group only the best is wanted; null when each row is its own. */
  readonly groupOf: ((row: number) => number) | null;
  readonly read: ReadPieces;
  /** How many reads of a file the reader can make now: a search that need not read more plans with them. */
  readonly readsMax?: (file: BaseFile) => number;
}

/** What a search read, and what it may have missed. */
export interface RowAnswer {
  /** Best first; equal scores by row. */
  readonly hits: readonly RowHit[];
  /** Lists or posting blocks that were read. */
  readonly blocks: number;
  /** Pieces that could not be read: the answer is partial when there are any. */
  readonly missing: number;
  /** True when the bounds prove that nothing better was skipped. */
  readonly exact: boolean;
}

/** Where the lists of a base are: in the space of vectors, and in the object store. */
export interface ListDirectory {
  readonly count: number;
  /** `count` × dimensions components, made anew. */
  centroids(): Float32Array;
  /** The list's codes. */
  piece(list: number): Piece;
}

export interface DenseAnswer extends RowAnswer {
  /** The lists that were read. */
  readonly lists: readonly number[];
  /** Share of the true ten best that such a search was found to hold when the base was made; 1 when exact, null when nobody measured. */
  readonly expectedRecall: number | null;
}

export interface DenseSearchOptions extends RowSearchOptions {
  /** Lists to read; null lets the index choose. */
  readonly probes: number | null;
  /** Whether the objects are files of this machine, so that many reads are cheaper than a missed hit. */
  readonly near?: boolean;
  /** What lies behind each block of rows and is read with it, for whoever asks for it later; null for nothing. */
  readonly beside?: { readonly at: (block: number) => Piece; readonly meanBytes: number } | null;
}

export interface DenseIndex {
  readonly rows: number;
  /** Pieces that these lie in. */
  readonly blocks: number;
  readonly residentBytes: number;
  readonly lists: ListDirectory;
  search(query: Float32Array, options: DenseSearchOptions): Promise<DenseAnswer>;
}

export interface LexicalIndex {
  readonly residentBytes: number;
  search(query: SparseVector, options: RowSearchOptions): Promise<RowAnswer>;
}

/** Who a row is, with what a hit shows. */
export interface BaseHit {
  readonly documentId: string;
  readonly ordinal: number;
  readonly version: string;
  readonly epoch: number;
  readonly residency: string;
  readonly collection: string;
  readonly lang: string | null;
  readonly publishedAt: string | null;
  readonly title: string;
  readonly text: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** Rows from one up to but without another. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

/** A document of a base without what it says. */
export interface BaseDocument {
  readonly documentId: string;
  readonly document: number;
  readonly version: string;
  readonly epoch: number;
}

export interface DocumentPart {
  readonly residentBytes: number;
  readonly rows: number;
  readonly documents: number;
  /** Every residency class that a document of this base has. */
  readonly classes: readonly string[];
  /** Every collection, likewise. */
  readonly collections: readonly string[];
  documentOf(row: number): number;
  /**
   * The rows that pass the filter, exactly; null when a piece that it needs could not be read. Rows, not documents,
   * because `has_id` may name a passage.
   */
  select(filter: Filter, read: ReadPieces): Promise<Bitmap | null>;
  /** The rows of these documents. */
  rowsOf(documents: Bitmap): Bitmap;
  /** For each block of rows the piece with what hits of them show. */
  readonly hitPieces: PieceTable;
  /** One hit for each row asked; null where its piece could not be read. */
  hits(rows: readonly number[], read: ReadPieces): Promise<readonly (BaseHit | null)[]>;
  /** All documents, ordered by id in code units. @throws {ColdFormatError} when a piece could not be read. */
  documentsOf(read: ReadPieces): AsyncGenerator<BaseDocument>;
  /** Everything that was written, in the order of rows. @throws {ColdFormatError} when a piece could not be read. */
  readRows(range: RowRange, read: ReadPieces): AsyncGenerator<BaseHit>;
}
