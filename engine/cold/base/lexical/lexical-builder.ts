import type { SparseVector } from "../../../lexical/bm25.ts";
import { DIRECTORY_POSTINGS_MIN, encodeLexicalSections, INLINE_POSTINGS_MAX } from "./lexical-sections.ts";
import type { Piece, PieceWriter } from "../piece.ts";
import { createPostingDecoder, type PostingDecoder } from "./posting-decoder.ts";
import { encodeDirectory } from "./posting-directory.ts";
import { lengthOf, RAW_LENGTH } from "./posting-lengths.ts";
import { cutPostings } from "./posting-pieces.ts";
import { PostingPool } from "./posting-pool.ts";
import type { Sections } from "../section-file.ts";
import { encodeTermFilter } from "./term-filter.ts";
import { MATRIX_SHARE_MIN, type TermMatrix } from "./term-matrix.ts";
import { buildTermMatrix } from "./term-matrix-builder.ts";
import { encodeTermPage, type PageTerm } from "./term-page.ts";
import { TermStreams } from "./term-streams.ts";

/** What one read of a rare term gets; as much as a piece of a frequent one. */
const PAGE_BYTES = 8_192;
/** A row number times two has to fit into a varint of 32 bits. */
const ROWS_MAX = 2 ** 30;

/** The rows of a lexical index to be. */
export interface LexicalRows {
  readonly rows: number;
  /** The vector of a row; asked once for each, in order. Values are finite, none below 0. */
  vectorOf(row: number): SparseVector;
}

/** Writes postings of all rows, returns the resident sections. @throws {RangeError} for a vector that is none. */
export async function writeLexical(source: LexicalRows, writer: PieceWriter): Promise<Sections> {
  const builder = new LexicalBuilder();
  for (let row = 0; row < source.rows; row += 1) builder.add(source.vectorOf(row));
  return builder.finish(writer);
}

/** Takes vectors row by row, holds nothing of them but their compressed postings. */
export class LexicalBuilder {
  readonly #pool = new PostingPool();
  readonly #terms = new TermStreams(this.#pool);
  #lengths = new Uint16Array(1_024);
  #frequencies = new Uint16Array(256);
  #rows = 0;
  readonly #float = new DataView(new ArrayBuffer(4));

  get rows(): number {
    return this.#rows;
  }

  /** Adds the next row. @throws {RangeError} for ids that do not ascend, values below 0 or not finite. */
  add({ indices, values }: SparseVector): void {
    assertVector({ indices, values });
    const row = this.#rows;
    if (row >= ROWS_MAX) throw new RangeError(`expected at most ${ROWS_MAX} rows`);
    this.#reserve(indices.length);
    const length = lengthOf(values, this.#frequencies);
    this.#lengths[row] = length;
    this.#rows += 1;
    if (length === RAW_LENGTH) this.#addRaw(row, { indices, values });
    else
      for (let i = 0; i < indices.length; i += 1) {
        const stream = this.#terms.streamOf(indices[i] ?? 0);
        const gap = this.#terms.step(stream, row);
        const tf = this.#frequencies[i] ?? 0;
        this.#pool.writeVarint(stream, tf === 1 ? gap * 2 : gap * 2 + 1);
        if (tf > 1) this.#pool.writeVarint(stream, tf - 2);
      }
  }

  /** Writes the pieces, term by term, returns the resident sections. */
  async finish(writer: PieceWriter): Promise<Sections> {
    const lengths = this.#lengths.slice(0, this.#rows);
    const decoder = createPostingDecoder(lengths);
    const matrix = buildTermMatrix(this.#matrixCandidates(), { rows: this.#rows, decoder });
    const output = new TermOutput(writer, { decoder, matrix });
    for (const id of this.#terms.ids()) if (!matrix.ids.includes(id)) await output.add(this.#term(id));
    return output.finish(lengths);
  }

  /** Terms that are frequent enough for the matrix. */
  #matrixCandidates(): PageTerm[] {
    const countMin = Math.max(DIRECTORY_POSTINGS_MIN, this.#rows * MATRIX_SHARE_MIN);
    return Array.from(this.#terms.ids())
      .filter((id) => this.#terms.countOf(this.#terms.streamOf(id)) >= countMin)
      .map((id) => this.#term(id));
  }

  #term(id: number): PageTerm {
    const stream = this.#terms.streamOf(id);
    return { id, count: this.#terms.countOf(stream), postings: this.#pool.read(stream) };
  }

  #addRaw(row: number, { indices, values }: SparseVector): void {
    for (let i = 0; i < indices.length; i += 1) {
      const stream = this.#terms.streamOf(indices[i] ?? 0);
      this.#pool.writeVarint(stream, this.#terms.step(stream, row) * 2);
      this.#float.setFloat32(0, values[i] ?? 0, true);
      for (let b = 0; b < 4; b += 1) this.#pool.writeByte(stream, this.#float.getUint8(b));
    }
  }

  #reserve(terms: number): void {
    if (this.#rows >= this.#lengths.length) {
      const grown = new Uint16Array(this.#lengths.length * 2);
      grown.set(this.#lengths);
      this.#lengths = grown;
    }
    if (terms > this.#frequencies.length) this.#frequencies = new Uint16Array(terms * 2);
  }
}

/** Where terms go as they come, ascending: rare ones into pages, each frequent one into pieces of its own. */
class TermOutput {
  readonly #writer: PieceWriter;
  readonly #decoder: PostingDecoder;
  readonly #matrix: TermMatrix;
  readonly #pageTerms: number[] = [];
  readonly #pages: Piece[] = [];
  readonly #ids: number[] = [];
  readonly #counts: number[] = [];
  readonly #firstPieces: number[] = [0];
  readonly #pieces: Piece[] = [];
  readonly #directories: Uint8Array[] = [];
  readonly #rare: number[] = [];
  #page: PageTerm[] = [];
  #pageBytes = 0;

  constructor(
    writer: PieceWriter,
    { decoder, matrix }: { readonly decoder: PostingDecoder; readonly matrix: TermMatrix },
  ) {
    this.#writer = writer;
    this.#decoder = decoder;
    this.#matrix = matrix;
  }

  async add(term: PageTerm): Promise<void> {
    if (term.count > INLINE_POSTINGS_MAX) return this.#addFrequent(term);
    this.#page.push(term);
    this.#rare.push(term.id);
    this.#pageBytes += term.postings.length;
    if (this.#pageBytes >= PAGE_BYTES) await this.#closePage();
  }

  async finish(lengths: Uint16Array): Promise<Sections> {
    await this.#closePage();
    return encodeLexicalSections({
      lengths,
      pageTerms: this.#pageTerms,
      pages: this.#pages,
      frequent: { ids: this.#ids, counts: this.#counts, firstPieces: this.#firstPieces },
      pieces: this.#pieces,
      directories: this.#directories,
      filter: encodeTermFilter(this.#rare),
      matrix: this.#matrix,
    });
  }

  async #addFrequent({ id, count, postings }: PageTerm): Promise<void> {
    const { pieces, blocks } = cutPostings(postings, { count, decoder: this.#decoder });
    for (const piece of pieces) this.#pieces.push(await this.#writer.write("postings", piece));
    if (count >= DIRECTORY_POSTINGS_MIN) this.#directories.push(encodeDirectory(blocks));
    this.#ids.push(id);
    this.#counts.push(count);
    this.#firstPieces.push(this.#pieces.length);
  }

  async #closePage(): Promise<void> {
    const [first] = this.#page;
    if (first === undefined) return;
    this.#pageTerms.push(first.id);
    this.#pages.push(await this.#writer.write("postings", encodeTermPage(this.#page)));
    this.#page = [];
    this.#pageBytes = 0;
  }
}

function assertVector({ indices, values }: SparseVector): void {
  if (indices.length !== values.length)
    throw new RangeError(`expected as many values as terms, got ${values.length} for ${indices.length}`);
  for (let i = 0; i < indices.length; i += 1) {
    if (i > 0 && (indices[i] ?? 0) <= (indices[i - 1] ?? 0))
      throw new RangeError("expected term ids ascending without repeats");
    const value = values[i] ?? 0;
    // Bounds rest on it: a row's score is never below the sum of some of its products.
    if (!(value >= 0 && value < Number.POSITIVE_INFINITY))
      throw new RangeError(`expected finite values, none below 0, got ${value}`);
  }
}
