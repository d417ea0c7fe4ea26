import { unit } from "../hashed.ts";
import { type ArtefactHead, openHead } from "./artefact.ts";
import { countWeight } from "./count-weight.ts";
import { RowTable } from "./rows.ts";
import { type Feature, FeatureReader } from "./text-features.ts";
import { UnknownWords } from "./unknown-word.ts";
import { WordIndex } from "./word-index.ts";

/** A vector with the number of words that it lacks because their page could not be read. */
export interface LearnedVector {
  readonly vector: Float32Array;
  /** Distinct words of the text. */
  readonly words: number;
  readonly missingWords: number;
}

/** Adds rows up; what it adds must not depend on where the rows lie. */
export interface RowAdder {
  /** Forgets the sums so far. */
  begin(): void;
  /** Adds row `rank` times a weight; false when the row is not at hand. */
  add(rank: number, weight: number): boolean;
  /** Returns the sums, which the caller may change. */
  finish(): Float32Array;
}

/** How much a compound is also a word of its own, beside its parts. */
const PART_IDENTITY_SHARE = 0.5;

/** Turns words into vectors; every embedder of an artefact shares it, so that all give the same bits. */
export class TextSummer {
  readonly head: ArtefactHead;
  readonly #reader: FeatureReader;
  readonly #unknown: UnknownWords;

  constructor(head: Uint8Array, memo: { readonly spellingsMax?: number } = {}) {
    this.head = openHead(head);
    const { dimensions, unknown_length: length } = this.head.about;
    const index = new WordIndex(this.head);
    this.#reader = new FeatureReader(index, memo);
    const grams = new RowTable(this.head.gramRows, dimensions);
    this.#unknown = new UnknownWords({ index, grams, length, dimensions });
  }

  /** Returns the distinct words of the text; valid until the next call. */
  featuresOf(text: string): readonly Feature[] {
    return this.#reader.read(text);
  }

  vectorOf(features: readonly Feature[], adder: RowAdder): LearnedVector {
    let missingWords = 0;
    adder.begin();
    for (const { ranks, share, count } of features) {
      const weight = countWeight(count) * share;
      let whole = true;
      for (const rank of ranks) if (!adder.add(rank, weight)) whole = false;
      if (!whole) missingWords += 1;
    }
    const sums = adder.finish();
    // After all rows, because rounding depends on the order.
    for (const { word, ranks, unknown, count } of features) {
      if (!unknown) continue;
      if (ranks.length === 0) this.#unknown.addTo(sums, word, countWeight(count));
      else this.#unknown.addIdentity(sums, word, countWeight(count) * PART_IDENTITY_SHARE);
    }
    return { vector: unit(sums), words: features.length, missingWords };
  }
}

/** Returns an adder over tables, found for each row by `locate`. */
export function tableAdder(
  dimensions: number,
  locate: (rank: number) => { readonly table: RowTable; readonly at: number } | null,
): RowAdder {
  const sums = new Float32Array(dimensions);
  return {
    begin: () => void sums.fill(0),
    add(rank, weight) {
      const place = locate(rank);
      place?.table.addTo(sums, place.at, weight);
      return place !== null;
    },
    finish: () => sums,
  };
}
