import type { Embedder } from "../embedder.ts";
import { checkRows, type PageRange } from "./artefact.ts";
import { kernelAdder } from "./resident-rows.ts";
import { RowTable } from "./rows.ts";
import { type LearnedVector, tableAdder, TextSummer } from "./text-summer.ts";

/**
 * Reads pages of rows in one parallel round, in the order asked.
 *
 * What comes is intact (`isIntact`); a page that is gone, damaged or not there in time comes as null.
 */
export type ReadPages = (pages: readonly PageRange[]) => Promise<readonly (Uint8Array | null)[]>;

/** Thrown when a vector would lack words: it must not be stored. The message holds no text. */
export class EmbeddingIncompleteError extends Error {
  readonly missingWords: number;
  constructor(missingWords: number) {
    super(`embedding: expected the rows of all words, ${missingWords} could not be read`);
    this.name = "EmbeddingIncompleteError";
    this.missingWords = missingWords;
  }
}

/** Embeds with pages that each call reads in its own way. */
export interface PagedEmbedder {
  readonly model: string;
  readonly dimensions: number;
  /** Resolves with vectors that lack the words whose page could not be read, so that a query is still answered. */
  embedPartly(texts: readonly string[], readPages: ReadPages): Promise<LearnedVector[]>;
}

/**
 * Makes the embedder that reads the rows of rare words by range, all pages of one call in one round.
 *
 * `spellingsMax` bounds what it remembers of words. @throws {ColdFormatError} for a damaged head.
 */
export function createPagedEmbedder(options: {
  readonly head: Uint8Array;
  readonly spellingsMax?: number;
}): PagedEmbedder {
  const summer = new TextSummer(options.head, options);
  const { about, residentRows } = summer.head;
  const resident = new RowTable(residentRows, about.dimensions);
  const pageOf = (rank: number): number => Math.floor((rank - resident.rows) / about.page_rows);
  return {
    model: about.model,
    dimensions: about.dimensions,
    async embedPartly(texts, readPages) {
      const wanted = new Set<number>();
      for (const text of texts)
        for (const { ranks } of summer.featuresOf(text))
          for (const rank of ranks) if (rank >= resident.rows) wanted.add(pageOf(rank));
      const pages = [...wanted];
      const read = pages.length === 0 ? [] : await readPages(pages.map((page) => summer.head.page(page)));
      const tables = new Map<number, RowTable>();
      pages.forEach((page, at) => {
        const bytes = read[at];
        if (bytes !== undefined && bytes !== null) tables.set(page, new RowTable(bytes, about.dimensions));
      });
      const adder = tableAdder(about.dimensions, (rank) => {
        if (rank < resident.rows) return { table: resident, at: rank };
        const table = tables.get(pageOf(rank));
        return table === undefined ? null : { table, at: (rank - resident.rows) % about.page_rows };
      });
      return texts.map((text) => summer.vectorOf(summer.featuresOf(text), adder));
    },
  };
}

export interface LearnedEmbedder extends Embedder {
  /** As {@link PagedEmbedder}'s. */
  embedPartly(texts: readonly string[]): Promise<LearnedVector[]>;
}

/**
 * Makes the embedder with one way to read pages.
 *
 * `embed` throws {@link EmbeddingIncompleteError} when a page is missing. @throws {ColdFormatError} for a damaged head.
 */
export function createLearnedEmbedder(options: {
  readonly head: Uint8Array;
  readonly readPages: ReadPages;
}): LearnedEmbedder {
  const { model, dimensions, embedPartly } = createPagedEmbedder(options);
  return {
    model,
    dimensions,
    embedPartly: (texts) => embedPartly(texts, options.readPages),
    async embed(texts) {
      const made = await embedPartly(texts, options.readPages);
      const missing = made.reduce((sum, { missingWords }) => sum + missingWords, 0);
      if (missing > 0) throw new EmbeddingIncompleteError(missing);
      return made.map(({ vector }) => vector);
    },
  };
}

export interface ResidentLearnedEmbedder extends Embedder {
  /** Residency classes of the documents that it was trained from. */
  readonly classes: readonly string[];
  embedSync(text: string): Float32Array;
}

/**
 * Makes the embedder that holds all rows in memory, for whoever embeds passages.
 *
 * `module` is the compiled `engine/wasm/learn.wasm`. @throws {ColdFormatError} for a damaged head or damaged rows.
 */
export function createResidentLearnedEmbedder(options: {
  readonly head: Uint8Array;
  readonly rows: Uint8Array;
  readonly module: WebAssembly.Module;
}): ResidentLearnedEmbedder {
  const summer = new TextSummer(options.head);
  checkRows(summer.head, options.rows);
  const adder = kernelAdder(summer.head, options.rows, options.module);
  const embedSync = (text: string): Float32Array => summer.vectorOf(summer.featuresOf(text), adder).vector;
  return {
    model: summer.head.about.model,
    dimensions: summer.head.about.dimensions,
    classes: summer.head.about.classes,
    embedSync,
    embed: (texts) => Promise.resolve(texts.map(embedSync)),
  };
}
