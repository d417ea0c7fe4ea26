import { wordOf } from "../../text/lexicon.ts";
import { scanWords } from "../../text/words.ts";
import type { Embedder } from "../embedder.ts";
import { unit } from "../hashed.ts";
import { type ArtefactHead, checkRows, openHead, type PageRange } from "./artefact.ts";
import { countWeight } from "./count-weight.ts";
import { RowTable } from "./rows.ts";
import { partsOf, UnknownWords } from "./unknown-word.ts";
import { WordIndex } from "./word-index.ts";

/**
 * Reads pages of rows in one parallel round, in the order asked.
 *
 * What comes is intact (`isIntact`); a page that is gone, damaged or not there in time comes as null.
 */
export type ReadPages = (pages: readonly PageRange[]) => Promise<readonly (Uint8Array | null)[]>;

/** A vector with the number of words that it lacks because their page could not be read. */
export interface LearnedVector {
  readonly vector: Float32Array;
  readonly missingWords: number;
}

/** Thrown when a vector would lack words: it must not be stored. The message holds no text. */
export class EmbeddingIncompleteError extends Error {
  readonly missingWords: number;
  constructor(missingWords: number) {
    super(`embedding: expected the rows of all words, ${missingWords} could not be read`);
    this.name = "EmbeddingIncompleteError";
    this.missingWords = missingWords;
  }
}

/** Words that a memo keeps: a lookup costs ten hashes where a known word costs one. */
const MEMO_WORDS_MAX = 50_000;

interface Feature {
  readonly word: string;
  /** Rows that are added up: the word's, or those of its parts; none when only its runs of units are known. */
  readonly ranks: readonly number[];
  readonly share: number;
  /** It has no row of its own. */
  readonly unknown: boolean;
  count: number;
  text: number;
}

/** Adds row `rank` times a weight; false when the row is not at hand. */
type AddRow = (sums: Float64Array, rank: number, weight: number) => boolean;

/** Turns texts into sums of rows; both embedders below share it, so that they give the same bits. */
class TextSummer {
  readonly head: ArtefactHead;
  readonly resident: RowTable;
  readonly #index: WordIndex;
  readonly #unknown: UnknownWords;
  readonly #sums: Float64Array;
  #memo = new Map<string, Feature>();
  #texts = 0;

  constructor(head: ArtefactHead) {
    const { dimensions, unknown_length: length } = head.about;
    this.head = head;
    this.resident = new RowTable(head.residentRows, dimensions);
    this.#index = new WordIndex(head);
    const grams = new RowTable(head.gramRows, dimensions);
    this.#unknown = new UnknownWords({ index: this.#index, grams, length, dimensions });
    this.#sums = new Float64Array(dimensions);
  }

  /** Returns the distinct words in the order in which they first stand, counted; valid until the next call. */
  featuresOf(text: string): readonly Feature[] {
    this.#texts += 1;
    // Between texts only: within one, a word must stay one feature.
    if (this.#memo.size >= MEMO_WORDS_MAX) this.#memo = new Map();
    const features: Feature[] = [];
    for (const { start, end } of scanWords(text)) {
      const { folded } = wordOf(text.slice(start, end));
      const feature = this.#memo.get(folded) ?? this.#open(folded);
      if (feature.text !== this.#texts) {
        feature.text = this.#texts;
        feature.count = 0;
        features.push(feature);
      }
      feature.count += 1;
    }
    return features;
  }

  vectorOf(features: readonly Feature[], addRow: AddRow): LearnedVector {
    const sums = this.#sums;
    sums.fill(0);
    let missingWords = 0;
    for (const { word, ranks, share, unknown, count } of features) {
      const weight = countWeight(count);
      let whole = true;
      for (const rank of ranks) if (!addRow(sums, rank, weight * share)) whole = false;
      if (!whole) missingWords += 1;
      if (!unknown) continue;
      if (ranks.length === 0) this.#unknown.addTo(sums, word, weight);
      else this.#unknown.addIdentity(sums, word, weight * PART_IDENTITY_SHARE);
    }
    return { vector: unit(sums), missingWords };
  }

  #open(word: string): Feature {
    const rank = this.#index.rankOf(word);
    const ranks = rank >= 0 ? [rank] : partsOf(word, this.#index);
    const share = ranks.length > 1 ? Math.SQRT1_2 : 1;
    const feature = { word, ranks, share, unknown: rank < 0, count: 0, text: 0 };
    this.#memo.set(word, feature);
    return feature;
  }
}

/** How much a compound is also a word of its own, beside its parts. */
const PART_IDENTITY_SHARE = 0.5;

export interface LearnedEmbedder extends Embedder {
  /** Resolves with vectors that lack the words whose page could not be read, so that a query is still answered. */
  embedPartly(texts: readonly string[]): Promise<LearnedVector[]>;
}

/**
 * Makes the embedder that reads the rows of rare words by range, all pages of one call in one round.
 *
 * `embed` throws {@link EmbeddingIncompleteError} when a page is missing. @throws {ColdFormatError} for a damaged head.
 */
export function createLearnedEmbedder(options: {
  readonly head: Uint8Array;
  readonly readPages: ReadPages;
}): LearnedEmbedder {
  const summer = new TextSummer(openHead(options.head));
  const { about } = summer.head;
  const { resident } = summer;
  const pageOf = (rank: number): number => Math.floor((rank - resident.rows) / about.page_rows);
  const embedPartly = async (texts: readonly string[]): Promise<LearnedVector[]> => {
    const wanted = new Set<number>();
    for (const text of texts)
      for (const { ranks } of summer.featuresOf(text))
        for (const rank of ranks) if (rank >= resident.rows) wanted.add(pageOf(rank));
    const pages = [...wanted];
    const read =
      pages.length === 0 ? [] : await options.readPages(pages.map((page) => summer.head.page(page)));
    const tables = new Map<number, RowTable>();
    pages.forEach((page, at) => {
      const bytes = read[at];
      if (bytes !== undefined && bytes !== null) tables.set(page, new RowTable(bytes, about.dimensions));
    });
    const addRow: AddRow = (sums, rank, weight) => {
      if (rank < resident.rows) {
        resident.addTo(sums, rank, weight);
        return true;
      }
      const table = tables.get(pageOf(rank));
      table?.addTo(sums, (rank - resident.rows) % about.page_rows, weight);
      return table !== undefined;
    };
    return texts.map((text) => summer.vectorOf(summer.featuresOf(text), addRow));
  };
  return {
    model: about.model,
    dimensions: about.dimensions,
    embedPartly,
    async embed(texts) {
      const made = await embedPartly(texts);
      const missing = made.reduce((sum, { missingWords }) => sum + missingWords, 0);
      if (missing > 0) throw new EmbeddingIncompleteError(missing);
      return made.map(({ vector }) => vector);
    },
  };
}

/** Makes the embedder that holds all rows in memory. @throws {ColdFormatError} for a damaged head or damaged rows. */
export function createResidentLearnedEmbedder(options: {
  readonly head: Uint8Array;
  readonly rows: Uint8Array;
}): Embedder & { embedSync(text: string): Float32Array } {
  const head = openHead(options.head);
  checkRows(head, options.rows);
  const summer = new TextSummer(head);
  const { resident } = summer;
  const others = new RowTable(options.rows, head.about.dimensions);
  const addRow: AddRow = (sums, rank, weight) => {
    if (rank < resident.rows) resident.addTo(sums, rank, weight);
    else others.addTo(sums, rank - resident.rows, weight);
    return true;
  };
  const embedSync = (text: string): Float32Array => summer.vectorOf(summer.featuresOf(text), addRow).vector;
  return {
    model: head.about.model,
    dimensions: head.about.dimensions,
    embedSync,
    embed: (texts) => Promise.resolve(texts.map(embedSync)),
  };
}
