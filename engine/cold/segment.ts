import type { Filter } from "@kattegat/protocol/filter.ts";
import { type Bitmap, createBitmap, hasBit, setBit } from "../index/bitmap.ts";
import { rank, type Ranked } from "../index/ranking.ts";
import { selectSlots } from "../index/select-slots.ts";
import { createSparseScores } from "../index/sparse-scores.ts";
import type { SparseVector } from "../lexical/bm25.ts";
import type { Scanner } from "../vector/scan.ts";
import { createVectorStore, type VectorStore } from "../vector/vector-store.ts";
import { type Header, readExactly, readHeader, readResident, type ReadRange } from "./container.ts";
import { damagedRows } from "./damaged-rows.ts";
import { createDirectory, type SegmentDirectory } from "./directory.ts";
import { floatsOf, readFloats } from "./float-section.ts";
import { ColdFormatError } from "./format-error.ts";
import type { ColdPassage } from "./passage.ts";
import type { SegmentDocument } from "./segment-document.ts";
import { segmentChecksum } from "./segment-checksum.ts";
import { decodePostings, float32sOf, type SegmentPostings, uint32sOf } from "./sparse-section.ts";
import { decodeTextBlock, decodeTextTable, type PassageText, type TextBlock } from "./text-blocks.ts";

export { encodeSegment } from "./encode-segment.ts";
export { ColdFormatError } from "./format-error.ts";
export type { ColdPassage } from "./passage.ts";

/** A passage found in a segment. */
export interface ColdHit {
  /** Its place in this segment: what `hydrate` takes. */
  readonly row: number;
  readonly documentId: string;
  readonly ordinal: number;
  readonly version: string;
  readonly epoch: number;
  readonly residency: string;
  readonly collection: string;
  readonly score: number;
}

export interface ColdContent {
  readonly title: string;
  readonly text: string;
  readonly lang: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface ColdSearchOptions {
  readonly limit: number;
  readonly filter: Filter | null;
  readonly grouped: boolean;
  /**
   * Documents that must not be found, left out before the best are chosen. Asked once for each document and function: pass
   * the same function for as long as its answers hold, and a new one afterwards.
   */
  readonly hidden: (documentId: string, version: string) => boolean;
}

/** An immutable index over one object, of which vectors and texts are read as they are needed. */
export interface ColdSegment {
  readonly model: string;
  readonly dimensions: number;
  readonly passages: number;
  readonly residentBytes: number;
  documents(): Iterable<SegmentDocument>;
  searchDense(vector: Float32Array, options: ColdSearchOptions): Promise<ColdHit[]>;
  searchSparse(vector: SparseVector, options: ColdSearchOptions): Promise<ColdHit[]>;
  /** Texts come through `read`, for one who counts reads; through the segment's own where it is left out. */
  hydrate(rows: readonly number[], read?: ReadRange): Promise<ColdContent[]>;
  /** Yields every passage, document by document. */
  readAll(): AsyncIterable<ColdPassage>;
  /** Reads the rows; resolves with those whose text or vector is not as it was written. */
  damagedIn(rows: readonly number[]): Promise<ReadonlySet<number>>;
}

/**
 * Opens a segment: reads its header and resident part in two reads, and checks them.
 *
 * @param options.checksum - of the whole object, as its manifest says; left out where the bytes were checked as a whole.
 */
export async function openSegment(
  read: ReadRange,
  options: { readonly scanner: Scanner; readonly totalBytes: number; readonly checksum?: string },
): Promise<ColdSegment> {
  const { scanner, totalBytes, checksum } = options;
  const head = await readHeader(read, totalBytes);
  const { header } = head;
  const section = await readResident(read, header);
  const floatChecks = uint32sOf(section("floatChecks"));
  const textBlocks = decodeTextTable(section("textBlocks"));
  if (
    checksum !== undefined &&
    segmentChecksum(head, { floatChecks, textBlocks }) !== Number.parseInt(checksum, 16)
  )
    throw new ColdFormatError("expected the segment that the manifest names, got another");
  const { passages, dimensions } = header;
  const vectors = createVectorStore({ scanner, dimensions, hasCodes: false, slots: passages });
  vectors.reserve(passages);
  const integers = new Int8Array(section("integers").slice().buffer);
  const scales = float32sOf(section("scales"));
  const width = passages === 0 ? 0 : integers.length / passages;
  for (let row = 0; row < passages; row += 1) {
    vectors.writeIntegers(row, {
      integers: integers.subarray(row * width, (row + 1) * width),
      scale: scales[row * 3] ?? 0,
      residual: scales[row * 3 + 1] ?? 0,
      norm: scales[row * 3 + 2] ?? 0,
    });
  }
  return new Segment({
    read,
    header,
    vectors,
    directory: createDirectory({
      documents: section("documents").slice(),
      metadata: section("metadata").slice(),
      ordinals: uint32sOf(section("rows")),
    }),
    postings: decodePostings({ terms: section("terms"), postings: section("postings"), passages }),
    postingsBytes: header.sections.terms.length + header.sections.postings.length,
    floatChecks,
    textBlocks,
  });
}

interface Parts {
  readonly read: ReadRange;
  readonly header: Header;
  readonly vectors: VectorStore;
  readonly directory: SegmentDirectory;
  readonly postings: SegmentPostings;
  readonly postingsBytes: number;
  readonly floatChecks: Uint32Array;
  readonly textBlocks: readonly TextBlock[];
}

class Segment implements ColdSegment {
  readonly #parts: Parts;
  readonly #scores = createSparseScores();
  readonly #visible = new WeakMap<ColdSearchOptions["hidden"], Bitmap>();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get model(): string {
    return this.#parts.header.model;
  }
  get dimensions(): number {
    return this.#parts.header.dimensions;
  }
  get passages(): number {
    return this.#parts.header.passages;
  }
  get residentBytes(): number {
    const { vectors, directory, postingsBytes, floatChecks, textBlocks } = this.#parts;
    return vectors.bytes + directory.bytes + postingsBytes + floatChecks.byteLength + textBlocks.length * 64;
  }

  documents(): Iterable<SegmentDocument> {
    const { ids, versions, epochs, residencies, firstRows } = this.#parts.directory.table;
    const rows = this.#parts.header.passages;
    return ids.map((documentId, i) => ({
      documentId,
      version: versions[i] ?? "0",
      epoch: epochs[i] ?? 0,
      residency: residencies.values[residencies.of[i] ?? 0] ?? "",
      passages: (firstRows[i + 1] ?? rows) - (firstRows[i] ?? 0),
    }));
  }

  async searchDense(vector: Float32Array, options: ColdSearchOptions): Promise<ColdHit[]> {
    const { vectors, directory, read, header, floatChecks } = this.#parts;
    if (vector.length !== header.dimensions) {
      throw new RangeError(`expected ${header.dimensions} dimensions, got ${vector.length}`);
    }
    const rows = vectors.nearest(vector, {
      limit: options.limit,
      admitted: this.#admitted(options).words,
      groupOf: options.grouped ? directory.documentOf : null,
      coarse: null,
    });
    const floats = await floatsOf({
      read,
      header,
      checks: floatChecks,
      rows,
      integersAt: (row) => vectors.integersAt(row),
    });
    // After the last await: another search may have used the scorer's memory meanwhile.
    const score = vectors.scorer(vector);
    return this.#rank(
      [...floats].map(([slot, row]) => ({ slot, score: score(row) })),
      options,
    );
  }

  async searchSparse(vector: SparseVector, options: ColdSearchOptions): Promise<ColdHit[]> {
    const admitted = this.#admitted(options);
    const scored = this.#scores.score(vector, {
      slots: this.passages,
      admits: (row) => hasBit(admitted, row),
      forEach: this.#parts.postings.forEach,
    });
    return this.#rank(scored, options);
  }

  async hydrate(rows: readonly number[], read = this.#parts.read): Promise<ColdContent[]> {
    const blocks = new Set(rows.map((row) => this.#blockOf(row)));
    const texts = new Map<number, readonly PassageText[]>();
    await Promise.all(
      Array.from(blocks, async (number) => {
        texts.set(number, await this.#readBlock(number, read));
      }),
    );
    const { table, documentOf, metadataOf } = this.#parts.directory;
    return rows.map((row) => {
      const number = this.#blockOf(row);
      const text = texts.get(number)?.[row - (this.#parts.textBlocks[number]?.firstRow ?? 0)];
      if (text === undefined) throw new ColdFormatError(`expected a text for row ${row}`);
      const document = documentOf(row);
      return {
        ...text,
        lang: table.langs.values[table.langs.of[document] ?? 0] ?? null,
        metadata: metadataOf(document),
      };
    });
  }

  async *readAll(): AsyncIterable<ColdPassage> {
    const { read, header, floatChecks, postings, textBlocks, directory } = this.#parts;
    const sparse = postings.vectors(this.passages);
    for (const [number, { firstRow }] of textBlocks.entries()) {
      const texts = await this.#readBlock(number, read);
      const rows = texts.map((_, i) => firstRow + i);
      const floats = await readFloats({ read, header, checks: floatChecks, rows });
      for (const [i, text] of texts.entries()) {
        const row = firstRow + i;
        const dense = floats.get(row);
        const terms = sparse[row];
        if (dense === undefined || terms === undefined)
          throw new ColdFormatError(`expected vectors for row ${row}`);
        const metadata = directory.metadataOf(directory.documentOf(row));
        yield { ...directory.passageAt(row), ...text, metadata, dense, sparse: terms };
      }
    }
  }

  damagedIn(rows: readonly number[]): Promise<ReadonlySet<number>> {
    const { read, header, floatChecks: checks } = this.#parts;
    return damagedRows(rows, {
      blockOf: (row) => this.#blockOf(row),
      readBlock: (number) => this.#readBlock(number, read),
      readFloats: (wanted) => readFloats({ read, header, checks, rows: wanted }),
    });
  }

  async #readBlock(number: number, read: ReadRange): Promise<readonly PassageText[]> {
    const { header, textBlocks } = this.#parts;
    const block = textBlocks[number];
    if (block === undefined) throw new RangeError(`expected a text block, got ${number}`);
    return decodeTextBlock(
      await readExactly(read, header.sections.texts.offset + block.offset, block.length),
      block,
    );
  }

  /** The last block that starts at the row or before it. */
  #blockOf(row: number): number {
    const next = this.#parts.textBlocks.findIndex(({ firstRow }) => firstRow > row);
    return (next === -1 ? this.#parts.textBlocks.length : next) - 1;
  }

  #admitted({ filter, hidden }: ColdSearchOptions): Bitmap {
    const { directory } = this.#parts;
    let visible = this.#visible.get(hidden);
    if (visible === undefined) {
      visible = createBitmap(this.passages);
      const { ids, versions } = directory.table;
      const isHidden = ids.map((id, i) => hidden(id, versions[i] ?? "0"));
      for (let row = 0; row < this.passages; row += 1) {
        if (isHidden[directory.documentOf(row)] === false) setBit(visible, row);
      }
      this.#visible.set(hidden, visible);
    }
    return filter === null ? visible : selectSlots(filter, visible, directory);
  }

  #rank(scored: readonly Ranked[], { limit, grouped }: ColdSearchOptions): ColdHit[] {
    const { directory } = this.#parts;
    const ranked = rank(scored, {
      limit,
      groupOf: grouped ? directory.documentOf : null,
      // Rows are ordered by document id, then ordinal.
      compareTies: (left, right) => left - right,
    });
    return ranked.map(({ slot: row, score }) => {
      const { documentId, ordinal, version, epoch, residency, collection } = directory.passageAt(row);
      return { row, documentId, ordinal, version, epoch, residency, collection, score };
    });
  }
}
