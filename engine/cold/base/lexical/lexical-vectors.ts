import type { SparseVector } from "../../../lexical/bm25.ts";
import { ColdFormatError } from "../../format-error.ts";
import { decodeLexicalSections, type LexicalSections } from "./lexical-sections.ts";
import type { Piece, ReadPieces } from "../piece.ts";
import { ByteReader } from "./posting-bytes.ts";
import { createPostingDecoder, type PostingDecoder } from "./posting-decoder.ts";
import { type PostingRun, readRun } from "./posting-run.ts";
import type { Sections } from "../section-file.ts";
import { matrixValueOf } from "./term-matrix.ts";
import { decodeTermPage } from "./term-page.ts";

/** Rows put together in one pass over all postings: 160 MB at 64 terms a row; 608,095 rows took 24 s. */
const PASS_ROWS = 65_536;
/** Pieces asked for at once: half a megabyte of eight-kilobyte pieces. */
const BATCH_PIECES = 64;

/**
 * Yields the vector of every row in order, bit for bit as it was written.
 *
 * Reads all postings once for every `passRows` rows, so memory is that of a pass. @throws {ColdFormatError} when a piece is
 * missing: vectors without it would be others.
 */
export async function* readVectors(
  sections: Sections,
  { read, passRows = PASS_ROWS }: { readonly read: ReadPieces; readonly passRows?: number },
): AsyncGenerator<SparseVector> {
  if (!(Number.isInteger(passRows) && passRows > 0))
    throw new RangeError(`expected passes of at least one row, got ${passRows}`);
  const decoded = decodeLexicalSections(sections);
  const decoder = createPostingDecoder(decoded.lengths);
  const rows = decoded.lengths.length;
  const { ids } = decoded.matrix;
  for (let first = 0; first < rows; first += passRows) {
    const postings = new PassPostings({ first, end: Math.min(rows, first + passRows), decoder });
    let term = 0;
    for await (const { id, run } of runsOf(decoded, read)) {
      for (; term < ids.length && (ids[term] ?? 0) < id; term += 1) postings.addMatrix(decoded, term);
      postings.add(id, run);
    }
    for (; term < ids.length; term += 1) postings.addMatrix(decoded, term);
    yield* postings.vectors();
  }
}

interface TermRun {
  readonly id: number;
  readonly run: PostingRun;
}

/** Yields the postings of all terms, ascending by id, then by row. */
async function* runsOf(sections: LexicalSections, read: ReadPieces): AsyncGenerator<TermRun> {
  const { frequent } = sections;
  const inPages = pageRuns(sections, read);
  let page = await inPages.next();
  const inPieces = pieceRuns(sections, read);
  for (let term = 0; term < frequent.ids.length; term += 1) {
    const id = frequent.ids[term] ?? 0;
    while (page.done !== true && page.value.id < id) {
      yield page.value;
      page = await inPages.next();
    }
    const pieces = (frequent.firstPieces[term + 1] ?? 0) - (frequent.firstPieces[term] ?? 0);
    for (let i = 0; i < pieces; i += 1) {
      const { value, done } = await inPieces.next();
      if (done !== true) yield { id, run: value };
    }
  }
  for (; page.done !== true; page = await inPages.next()) yield page.value;
}

async function* pageRuns({ pages }: LexicalSections, read: ReadPieces): AsyncGenerator<TermRun> {
  for await (const bytes of allOf(pages, read))
    for (const { id, count, postings } of decodeTermPage(bytes, null))
      yield { id, run: { bytes: postings, at: 0, end: postings.length, count, previous: -1 } };
}

async function* pieceRuns({ pieces }: LexicalSections, read: ReadPieces): AsyncGenerator<PostingRun> {
  for await (const bytes of allOf(pieces, read)) {
    const reader = new ByteReader(bytes);
    const count = reader.varint();
    yield { bytes, at: reader.at, end: bytes.length, count, previous: -1 };
  }
}

async function* allOf(
  table: { readonly count: number; at(number: number): Piece },
  read: ReadPieces,
): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < table.count; from += BATCH_PIECES) {
    const batch = Math.min(BATCH_PIECES, table.count - from);
    const found = await read(Array.from({ length: batch }, (_, i) => table.at(from + i)));
    for (let i = 0; i < batch; i += 1) {
      const bytes = found[i] ?? null;
      if (bytes === null) throw new ColdFormatError("expected every piece of the postings, one is missing");
      yield bytes;
    }
  }
}

/** Postings of a range of rows, kept in the order of terms until the rows are known whole. */
class PassPostings {
  readonly #first: number;
  readonly #decoder: PostingDecoder;
  readonly #counts: Uint32Array;
  #rows = new Uint32Array(1_024);
  #ids = new Uint32Array(1_024);
  #values = new Float32Array(1_024);
  #length = 0;

  constructor({ first, end, decoder }: { first: number; end: number; decoder: PostingDecoder }) {
    this.#first = first;
    this.#decoder = decoder;
    this.#counts = new Uint32Array(end - first);
  }

  add(id: number, run: PostingRun): void {
    const { rows, values } = this.#decoder;
    const first = this.#first;
    readRun(run, this.#decoder, (size) => {
      this.#reserve(size);
      for (let i = 0; i < size; i += 1) {
        const row = (rows[i] ?? 0) - first;
        if (row >= 0 && row < this.#counts.length) this.#push(row, id, values[i] ?? 0);
      }
    });
  }

  /** Adds a term of the matrix. */
  addMatrix({ matrix, lengths }: LexicalSections, term: number): void {
    const id = matrix.ids[term] ?? 0;
    this.#reserve(this.#counts.length);
    for (let i = 0; i < this.#counts.length; i += 1) {
      const row = this.#first + i;
      const value = matrixValueOf(matrix, { term, row, length: lengths[row] ?? 0 });
      if (value >= 0) this.#push(i, id, value);
    }
  }

  /** Yields the rows' vectors; terms came ascending, so each row's do. */
  *vectors(): Generator<SparseVector> {
    const next = new Uint32Array(this.#counts.length);
    for (let row = 1; row < next.length; row += 1)
      next[row] = (next[row - 1] ?? 0) + (this.#counts[row - 1] ?? 0);
    const indices = new Uint32Array(this.#length);
    const values = new Float32Array(this.#length);
    for (let i = 0; i < this.#length; i += 1) {
      const row = this.#rows[i] ?? 0;
      const at = next[row] ?? 0;
      next[row] = at + 1;
      indices[at] = this.#ids[i] ?? 0;
      values[at] = this.#values[i] ?? 0;
    }
    for (let row = 0; row < next.length; row += 1) {
      const end = next[row] ?? 0;
      const from = end - (this.#counts[row] ?? 0);
      yield { indices: indices.slice(from, end), values: values.slice(from, end) };
    }
  }

  #push(row: number, id: number, value: number): void {
    this.#counts[row] = (this.#counts[row] ?? 0) + 1;
    this.#rows[this.#length] = row;
    this.#ids[this.#length] = id;
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#rows.length) return;
    const room = Math.max(this.#rows.length * 2, this.#length + more);
    const rows = new Uint32Array(room);
    const ids = new Uint32Array(room);
    const values = new Float32Array(room);
    rows.set(this.#rows);
    ids.set(this.#ids);
    values.set(this.#values);
    this.#rows = rows;
    this.#ids = ids;
    this.#values = values;
  }
}
