import { fold } from "../../text/lexicon.ts";
import { scanWords } from "../../text/words.ts";
import { partsOf } from "./unknown-word.ts";
import type { WordIndex } from "./word-index.ts";

/** A word of a text with the rows that stand for it. */
export interface Feature {
  readonly word: string;
  /** Rows that are added up: the word's, or those of its parts; none when only its runs of units are known. */
  readonly ranks: readonly number[];
  /** What each row counts. */
  readonly share: number;
  /** It has no row of its own. */
  readonly unknown: boolean;
  /** In the text that was read last. */
  count: number;
  text: number;
}

/** Spellings that a memo keeps unless told otherwise, some 10 MB: looking up an unknown word costs a hundred hashes. */
const MEMO_SPELLINGS_MAX = 50_000;

/** Reads the words of texts, with a memo of pure functions. */
export class FeatureReader {
  readonly #index: WordIndex;
  readonly #spellingsMax: number;
  #spellings = new Map<string, Feature>();
  #words = new Map<string, Feature>();
  #texts = 0;

  constructor(
    index: WordIndex,
    { spellingsMax = MEMO_SPELLINGS_MAX }: { readonly spellingsMax?: number } = {},
  ) {
    this.#index = index;
    this.#spellingsMax = spellingsMax;
  }

  /** Returns the distinct words in the order in which they first stand, counted; valid until the next call. */
  read(text: string): readonly Feature[] {
    this.#texts += 1;
    // Between texts only: within one, a word must stay one feature.
    if (this.#spellings.size >= this.#spellingsMax) {
      this.#spellings = new Map();
      this.#words = new Map();
    }
    const features: Feature[] = [];
    for (const { start, end } of scanWords(text)) {
      const spelling = text.slice(start, end);
      const feature = this.#spellings.get(spelling) ?? this.#open(spelling);
      if (feature.text !== this.#texts) {
        feature.text = this.#texts;
        feature.count = 0;
        features.push(feature);
      }
      feature.count += 1;
    }
    return features;
  }

  #open(spelling: string): Feature {
    const word = fold(spelling);
    const feature = this.#words.get(word) ?? this.#make(word);
    this.#words.set(word, feature);
    // A slice keeps its whole source text alive in V8, so a kept key is a copy.
    this.#spellings.set(` ${spelling}`.slice(1), feature);
    return feature;
  }

  #make(word: string): Feature {
    const rank = this.#index.rankOf(word);
    const ranks = rank >= 0 ? [rank] : partsOf(word, this.#index);
    const share = ranks.length > 1 ? Math.SQRT1_2 : 1;
    return { word, ranks, share, unknown: rank < 0, count: 0, text: 0 };
  }
}
