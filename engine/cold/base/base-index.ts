import type { Filter } from "@kattegat/protocol/filter.ts";
import { RecentMap } from "@kattegat/protocol/recent-map.ts";
import { type Bitmap, subtract } from "../../index/bitmap.ts";
import type { SparseVector } from "../../lexical/bm25.ts";
import { ColdFormatError } from "../format-error.ts";
import { openDense } from "./dense/dense-index.ts";
import { fullBitmap } from "./documents/document-bitmap.ts";
import { openDocuments } from "./documents/document-part.ts";
import { openLexical } from "./lexical/lexical-index.ts";
import type { PieceMemory } from "./documents/document-pieces.ts";
import { nameableRows } from "./nameable.ts";
import type {
  BaseHit,
  DenseAnswer,
  DocumentPart,
  ListDirectory,
  RowAnswer,
  RowHit,
  RowSearchOptions,
  DenseSearchOptions,
} from "./parts.ts";
import type { BaseFile, PieceTable, ReadPieces } from "./piece.ts";
import { decodeAbout, ROOT_KIND, type BaseAbout } from "./root.ts";
import { decodeSectionFile } from "./section-file.ts";

/** What a base is asked. */
export interface BaseQuery {
  readonly dense: Float32Array | null;
  readonly lexical: SparseVector | null;
  readonly filter: Filter | null;
  /** Documents that must not be found. */
  readonly dead: DeadDocuments;
  /** Groups wanted of each list. */
  readonly depth: number;
  /** Hits of the page that the answer is for, from the first on. */
  readonly page: number;
  readonly grouped: boolean;
  /** Lists to read; null lets the base choose. */
  readonly probes: number | null;
  /** Whether the objects are files of this machine. */
  readonly near?: boolean;
  readonly read: ReadPieces;
  /** How many reads of a file the reader can make now; as many as a search wants where it is left out. */
  readonly readsMax?: (file: BaseFile) => number;
}

/** A set of documents with a name that changes with it. */
export interface DeadDocuments {
  readonly name: string;
  readonly documents: Bitmap;
}

/** A found row; `hit` is null when its document cannot come to stand on the page, so that nobody need know its name. */
export interface BaseEntry extends RowHit {
  readonly document: number;
  readonly hit: BaseHit | null;
}

export interface BaseAnswer {
  readonly dense: readonly BaseEntry[];
  readonly lexical: readonly BaseEntry[];
  /** Pieces that could not be read: when there are any, something may be missing. */
  readonly missing: number;
  /** Lists and blocks of postings that were read. */
  readonly blocks: number;
  /** The lists among them. */
  readonly lists: readonly number[];
  /** True when the bounds prove that nothing better was skipped. */
  readonly exact: boolean;
  /** Share of the ten nearest that the dense list was found to hold when the base was made; 1 when exact, null when unknown. */
  readonly expectedRecall: number | null;
}

export interface ColdBase extends BaseAbout {
  readonly residentBytes: number;
  readonly documents: DocumentPart;
  readonly lists: ListDirectory;
  search(query: BaseQuery): Promise<BaseAnswer>;
}

/** Bitmaps of filters, 76 kB each at 600,000 rows: the filters of an application are few. */
const ADMITTED_MAX = 8;
const NOTHING: DenseAnswer = { hits: [], blocks: 0, lists: [], missing: 0, exact: true, expectedRecall: 1 };

/** Opens a base by its root; `memory` keeps columns that filters asked for. @throws {ColdFormatError} for bytes that are none. */
export function openBase(root: Uint8Array, memory: PieceMemory | null): ColdBase {
  return new Base(root, memory);
}

class Base implements ColdBase {
  readonly model: string;
  readonly dimensions: number;
  readonly documents: DocumentPart;
  readonly #dense: ReturnType<typeof openDense>;
  readonly #lexical: ReturnType<typeof openLexical>;
  readonly #admitted = new RecentMap<string, Bitmap>(ADMITTED_MAX);
  readonly #beside: NonNullable<DenseSearchOptions["beside"]>;

  constructor(root: Uint8Array, memory: PieceMemory | null) {
    const sections = decodeSectionFile(root, ROOT_KIND);
    const about = decodeAbout(sections);
    this.model = about.model;
    this.dimensions = about.dimensions;
    this.documents = openDocuments(sections, { memory });
    this.#dense = openDense(sections);
    this.#lexical = openLexical(sections);
    const { rows, hitPieces } = this.documents;
    if (rows !== this.#dense.rows || hitPieces.count !== this.#dense.blocks)
      throw new ColdFormatError(
        `expected ${rows} vectors in ${hitPieces.count} blocks, got ${this.#dense.rows} in ${this.#dense.blocks}`,
      );
    this.#beside = { at: hitPieces.at, meanBytes: meanBytesOf(hitPieces) };
  }

  get lists(): ListDirectory {
    return this.#dense.lists;
  }

  get residentBytes(): number {
    const bitmaps = this.#admitted.size * Math.ceil(this.documents.rows / 8);
    return this.documents.residentBytes + this.#dense.residentBytes + this.#lexical.residentBytes + bitmaps;
  }

  async search(query: BaseQuery): Promise<BaseAnswer> {
    const { read, grouped, near = false } = query;
    const { documentOf } = this.documents;
    const admitted = await this.#admittedBy(query);
    if (admitted === undefined)
      return { dense: [], lexical: [], missing: 1, blocks: 0, lists: [], exact: false, expectedRecall: null };
    const groupOf = grouped ? documentOf : null;
    const { readsMax = () => Infinity } = query;
    const options = { wanted: query.depth, admitted, groupOf, read, readsMax };
    const [dense, lexical] = await Promise.all([
      query.dense === null
        ? NOTHING
        : this.#dense.search(query.dense, {
            ...options,
            probes: query.probes,
            near,
            beside: near || query.page === 0 ? null : this.#beside,
          }),
      query.lexical === null ? NOTHING : this.#searchWords(query.lexical, query, options),
    ]);
    const named = [
      ...nameableRows(
        { dense: dense.hits, lexical: lexical.hits },
        { page: query.page, keyOf: groupOf ?? ((row) => row) },
      ),
    ];
    const known = await this.documents.hits(named, read);
    const hits = new Map(named.map((row, at) => [row, known[at] ?? null]));
    const entriesOf = (list: readonly RowHit[]): readonly BaseEntry[] =>
      list.flatMap(({ row, score }) => {
        const hit = hits.get(row);
        // It has a name that could not be read: it is missing, not nameless.
        return hit === null ? [] : [{ row, score, document: documentOf(row), hit: hit ?? null }];
      });
    return {
      dense: entriesOf(dense.hits),
      lexical: entriesOf(lexical.hits),
      missing: dense.missing + lexical.missing + known.filter((hit) => hit === null).length,
      blocks: dense.blocks + lexical.blocks,
      lists: dense.lists,
      exact: dense.exact && lexical.exact,
      expectedRecall: dense.expectedRecall,
    };
  }

  /** Reads what the best hits show while the vectors are still on their way: what leads a list cannot miss the page. */
  async #searchWords(
    words: SparseVector,
    { page, read }: BaseQuery,
    options: RowSearchOptions,
  ): Promise<RowAnswer> {
    const answer = await this.#lexical.search(words, options);
    const leading = nameableRows(
      { dense: [], lexical: answer.hits },
      { page, keyOf: options.groupOf ?? ((row) => row) },
    );
    await this.documents.hits([...leading], read);
    return answer;
  }

  /** The rows that may be found, null for all of them; undefined when the filter's columns could not be read. */
  async #admittedBy({ filter, dead, read }: BaseQuery): Promise<Bitmap | null | undefined> {
    if (filter === null && dead.documents.words.every((word) => word === 0)) return null;
    const name = `${dead.name} ${JSON.stringify(filter)}`;
    const known = this.#admitted.get(name);
    if (known !== undefined) {
      this.#admitted.set(name, known);
      return known;
    }
    const passed =
      filter === null ? fullBitmap(this.documents.rows) : await this.documents.select(filter, read);
    if (passed === null) return undefined;
    const admitted = subtract(passed, this.documents.rowsOf(dead.documents));
    this.#admitted.set(name, admitted);
    return admitted;
  }
}

function meanBytesOf({ count, at }: PieceTable): number {
  let bytes = 0;
  for (let piece = 0; piece < count; piece += 1) bytes += at(piece).length;
  return count > 0 ? bytes / count : 0;
}
