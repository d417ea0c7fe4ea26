import { type Bitmap, forEachBit, hasBit } from "../../../index/bitmap.ts";
import { rank } from "../../../index/ranking.ts";
import type { SparseVector } from "../../../lexical/bm25.ts";
import type { LexicalBounds } from "./lexical-bounds.ts";
import { LexicalMatrix } from "./lexical-matrix.ts";
import {
  type Ask,
  askBlocks,
  askWhole,
  boundsOf,
  bytesOf,
  partsOf,
  type QueryTerm,
  withoutRows,
} from "./lexical-query.ts";
import { exactScores } from "./lexical-scores.ts";
import { lastAtMost, type LexicalSections } from "./lexical-sections.ts";
import { LexicalSums, PRESENT, WINDOW_ROWS } from "./lexical-sums.ts";
import { LexicalThreshold } from "./lexical-threshold.ts";
import type { RowAnswer, RowHit, RowSearchOptions } from "../parts.ts";
import { BLOCK_POSTINGS } from "./posting-decoder.ts";
import { decodeDirectory, type PostingDirectory } from "./posting-directory.ts";
import type { PostingRun, RunBlocks } from "./posting-run.ts";
import { mayHaveTerm } from "./term-filter.ts";
import { decodeTermPage } from "./term-page.ts";

/** An answer with what it saved. */
export interface LexicalAnswer extends RowAnswer {
  /** All posting blocks of the query's terms, decoded or not. */
  readonly blocksOfTerms: number;
}

/** How much a search reads and holds. */
export interface LexicalLimits {
  /** The rarest frequent terms of a query are read whole up to here. */
  readonly wholeBytesMax: number;
  /** A second round of more reads the rarest terms first. */
  readonly roundBytesMax: number;
  /** So many bytes of what was read are in memory at once. */
  readonly heldBytesMax: number;
}

export const LEXICAL_LIMITS: LexicalLimits = {
  /** Nothing bounds a score as well as a list that is known. */
  wholeBytesMax: 1024 * 1024,
  /** What the rarest terms add often spares the rest. */
  roundBytesMax: 1024 * 1024,
  /** With sums and candidates below 16 MB; a query of hundreds of frequent terms reads its last round in parts. */
  heldBytesMax: 4 * 1024 * 1024,
};

/** One search: rounds of reads, each deciding from bounds what the next one needs. */
export class LexicalSearch {
  readonly #sections: LexicalSections;
  readonly #limits: LexicalLimits;
  readonly #options: RowSearchOptions;
  readonly #terms: readonly QueryTerm[];
  readonly #sums: LexicalSums;
  readonly #threshold: LexicalThreshold;
  readonly #matrix: LexicalMatrix;
  #blocksOfTerms = 0;
  #heldBytes = 0;
  #missing = 0;
  /** Of runs that were summed. */
  readonly #blocksOf = new WeakMap<PostingRun, RunBlocks>();
  /** Without the rows whose sums may lack a term, since its postings could not be read. */
  #admitted: Bitmap | null;

  constructor(
    query: SparseVector,
    options: RowSearchOptions,
    { sections, limits }: { readonly sections: LexicalSections; readonly limits: LexicalLimits },
  ) {
    this.#sections = sections;
    this.#limits = limits;
    this.#options = options;
    this.#admitted = options.admitted;
    this.#terms = Array.from(query.indices, (id, i) => {
      const at = lastAtMost(sections.frequent.ids, id);
      const frequent = sections.frequent.ids[at] === id ? at : -1;
      const matrix = sections.matrix.ids.indexOf(id);
      const weight = query.values[i] ?? 0;
      return { id, weight, matrix, frequent, directory: null, runs: [], released: false };
    });
    this.#matrix = new LexicalMatrix(sections, this.#terms);
    this.#sums = new LexicalSums(sections.lengths);
    // Sums are float32 in any order: each addition may be off by 2^-24 of the sum, so may each bound.
    const slack = (this.#terms.length + 4) * 2 ** -21;
    this.#threshold = new LexicalThreshold({ ...options, slack });
  }

  async run(): Promise<LexicalAnswer> {
    await this.#firstRound();
    await this.#boundedRounds();
    const hits = await this.#hits();
    return {
      hits,
      blocks: this.#sums.blocks,
      blocksOfTerms: this.#blocksOfTerms,
      missing: this.#missing,
      exact: this.#missing === 0,
    };
  }

  /** Pages of rare terms, the rarest of the frequent ones whole; the others stay open. */
  async #firstRound(): Promise<void> {
    const asks = this.#askPages();
    const { directoryOf } = this.#sections;
    const byCount = this.#terms
      .filter((term) => term.frequent >= 0)
      .sort((a, b) => this.#count(a) - this.#count(b));
    let bytes = 0;
    for (const { matrix } of this.#terms)
      if (matrix >= 0)
        this.#blocksOfTerms += Math.ceil((this.#sections.matrix.counts[matrix] ?? 0) / BLOCK_POSTINGS);
    for (const term of byCount) {
      this.#blocksOfTerms += Math.ceil(this.#count(term) / BLOCK_POSTINGS);
      const number = directoryOf[term.frequent] ?? -1;
      const directory = (): PostingDirectory => this.#directory(number, { term, pieces: whole.length });
      const whole: readonly Ask[] = askWhole(term, this.#sections, number < 0 ? null : directory);
      for (const { piece } of whole) bytes += piece.length;
      if (number < 0 || bytes <= this.#limits.wholeBytesMax) asks.push(...whole);
      else term.directory = directory();
    }
    await this.#round(asks, this.#terms);
  }

  #directory(
    number: number,
    { term, pieces }: { readonly term: QueryTerm; readonly pieces: number },
  ): PostingDirectory {
    const { directories, directoryStarts, lengths } = this.#sections;
    const bytes = directories.subarray(directoryStarts[number], directoryStarts[number + 1]);
    return decodeDirectory(bytes, { count: this.#count(term), lengths, pieces });
  }

  #askPages(): Ask[] {
    const { pageTerms, pages, filter } = this.#sections;
    const byPage = new Map<number, Map<number, QueryTerm>>();
    for (const term of this.#terms) {
      if (term.matrix >= 0 || term.frequent >= 0 || !mayHaveTerm(filter, term.id)) continue;
      const page = lastAtMost(pageTerms, term.id);
      if (page < 0) continue;
      const terms = byPage.get(page) ?? new Map<number, QueryTerm>();
      byPage.set(page, terms.set(term.id, term));
    }
    return Array.from(byPage, ([page, terms]) => ({
      piece: pages.at(page),
      rows: () => null,
      take: (bytes) => {
        for (const { id, count, postings } of decodeTermPage(bytes, terms)) {
          this.#blocksOfTerms += Math.ceil(count / BLOCK_POSTINGS);
          terms.get(id)?.runs.push({ bytes: postings, at: 0, end: postings.length, count, previous: -1 });
        }
      },
    }));
  }

  /** Reads what can still change the answer: all at once, or the rarest terms first when it is much. */
  async #boundedRounds(): Promise<void> {
    const open = this.#terms
      .filter(({ directory }) => directory !== null)
      .sort((a, b) => this.#count(a) - this.#count(b));
    const { roundBytesMax } = this.#limits;
    let isStaged = true;
    while (open.length > 0) {
      const bounds = this.#raise(open);
      const live = bounds.live(this.#sums, this.#threshold.cut, this.#admitted);
      const asksOf = open.map((term) => askBlocks(term, live, this.#sections));
      const total = bytesOf(asksOf.flat());
      let taken = open.length;
      if (isStaged && total > roundBytesMax) {
        taken = 1;
        let bytes = bytesOf(asksOf[0] ?? []);
        while (taken < open.length - 1 && bytes < roundBytesMax / 2) {
          bytes += bytesOf(asksOf[taken] ?? []);
          taken += 1;
        }
      }
      isStaged = false;
      await this.#round(asksOf.slice(0, taken).flat(), open.splice(0, taken));
    }
  }

  /** The best rows by their exact scores. */
  async #hits(): Promise<readonly RowHit[]> {
    const { wanted, groupOf } = this.#options;
    const bounds = this.#raise([]);
    const live = (): Bitmap =>
      bounds.live(this.#sums, Math.max(PRESENT / 2, this.#threshold.cut), this.#admitted);
    let candidates = live();
    const missing = this.#missing;
    await this.#readAgain(candidates);
    if (this.#missing > missing) candidates = live();
    const rows: number[] = [];
    forEachBit(candidates, (row) => rows.push(row));
    const scored = exactScores(Uint32Array.from(rows), this.#terms, {
      decoder: this.#sums.decoder,
      sections: this.#sections,
      blocksOf: (run) => this.#blocksOf.get(run) ?? null,
    });
    const best = rank(scored, { limit: wanted, groupOf, compareTies: (left, right) => left - right });
    return best.map(({ slot, score }) => ({ row: slot, score }));
  }

  /** Reads once more, for the candidates alone, what was not held. */
  async #readAgain(candidates: Bitmap): Promise<void> {
    const released = this.#terms.filter((term) => term.released);
    if (released.length === 0) return;
    await this.#read(released.flatMap((term) => askBlocks(term, candidates, this.#sections)));
  }

  /** Raises the threshold by all that is known, returns what the open terms can add. */
  #raise(open: readonly QueryTerm[]): LexicalBounds {
    const { ofRow } = this.#sums;
    const admitted = this.#admitted;
    const threshold = this.#threshold;
    const bounds = boundsOf(open, this.#rows);
    this.#offerSums();
    threshold.settle();
    if (!this.#matrix.isEmpty) this.#matrix.addTo(this.#sums, { bounds, threshold, admitted });
    for (const { directory, weight } of open) {
      if (directory === null) continue;
      for (let block = 0; block < directory.blocks; block += 1) {
        const row = directory.maximumRows[block] ?? 0;
        if (admitted === null || hasBit(admitted, row))
          threshold.offer(row, (ofRow[row] ?? 0) + weight * (directory.maxima[block] ?? 0));
      }
    }
    threshold.settle();
    return bounds;
  }

  #offerSums(): void {
    const { ofRow, peaks } = this.#sums;
    const admitted = this.#admitted;
    const threshold = this.#threshold;
    for (let window = 0; window < peaks.length; window += 1) {
      if ((peaks[window] ?? 0) <= threshold.value) continue;
      const end = Math.min((window + 1) * WINDOW_ROWS, ofRow.length);
      for (let row = window * WINDOW_ROWS; row < end; row += 1) {
        const sum = ofRow[row] ?? 0;
        if (sum > threshold.value && (admitted === null || hasBit(admitted, row))) threshold.offer(row, sum);
      }
    }
  }

  /** Reads in parts that memory holds, adds up the terms' new postings. */
  async #round(asks: readonly Ask[], terms: readonly QueryTerm[]): Promise<void> {
    const { heldBytesMax } = this.#limits;
    for (const part of partsOf(asks, heldBytesMax)) {
      const before = terms.map(({ runs }) => runs.length);
      await this.#read(part);
      terms.forEach((term, i) => {
        for (const run of term.runs.slice(before[i]))
          this.#blocksOf.set(run, this.#sums.add(run, term.weight));
      });
      this.#heldBytes += bytesOf(part);
      if (this.#heldBytes <= heldBytesMax) continue;
      for (const term of terms) {
        if (term.directory === null || term.runs.length === 0) continue;
        term.released = true;
        term.runs = [];
      }
    }
  }

  async #read(asks: readonly Ask[]): Promise<void> {
    if (asks.length === 0) return;
    const found = await this.#options.read(asks.map(({ piece }) => piece));
    asks.forEach(({ take, rows }, i) => {
      const bytes = found[i] ?? null;
      if (bytes !== null) {
        take(bytes);
        return;
      }
      this.#missing += 1;
      this.#admitted = withoutRows(this.#admitted, rows() ?? { from: 0, to: this.#rows }, this.#rows);
    });
  }

  #count(term: QueryTerm): number {
    return this.#sections.frequent.counts[term.frequent] ?? 0;
  }

  get #rows(): number {
    return this.#sections.lengths.length;
  }
}
