import { LISTED_PASSAGES_MIN } from "../../lexical/statistics.ts";
import { wordAt } from "../../text/lexicon.ts";
import { scanWords } from "../../text/words.ts";

/** Distinct words that are counted at a time, some 100 bytes each: 608,095 provisions of law have 227,000. */
const COUNTED_WORDS_MAX = 2_000_000;

/** The words that get rows, most frequent first. */
export interface Vocabulary {
  readonly words: readonly string[];
  /** In how many passages each stands. */
  readonly counts: Uint32Array;
  /** All passages that were counted. */
  readonly passages: number;
}

/**
 * Counts in how many passages each word stands, in bounded memory.
 *
 * Past its bound it forgets the rarest words, as lossy counting does (Manku and Motwani, "Approximate Frequency Counts over
 * Data Streams", VLDB 2002, section 4.2): a count may then be too low, never too high, so a rare word is never taken for a frequent one.
 */
export class WordCounter {
  readonly #wordsMax: number;
  #ids = new Map<string, number>();
  #counts = new Uint32Array(1 << 16);
  /** The last passage that held the word: a word counts once for each. */
  #last = new Uint32Array(1 << 16);
  #passages = 0;

  constructor({ wordsMax = COUNTED_WORDS_MAX }: { readonly wordsMax?: number } = {}) {
    this.#wordsMax = wordsMax;
  }

  add(text: string): void {
    this.#passages += 1;
    for (const place of scanWords(text)) {
      const word = wordAt(text, place).folded.term;
      const known = this.#ids.get(word);
      const id = known ?? this.#ids.size;
      if (known === undefined) this.#open(word, id);
      if (this.#last[id] === this.#passages) continue;
      this.#last[id] = this.#passages;
      this.#counts[id] = (this.#counts[id] ?? 0) + 1;
    }
    if (this.#ids.size > this.#wordsMax) this.#forget();
  }

  /** Returns the most frequent words of at least three passages; equal counts in the order of their units. */
  vocabulary(wordsMax: number): Vocabulary {
    const listed = [...this.#ids].filter(([, id]) => (this.#counts[id] ?? 0) >= LISTED_PASSAGES_MIN);
    listed.sort(
      ([leftWord, left], [rightWord, right]) =>
        (this.#counts[right] ?? 0) - (this.#counts[left] ?? 0) || (leftWord < rightWord ? -1 : 1),
    );
    const kept = listed.slice(0, wordsMax);
    return {
      words: kept.map(([word]) => word),
      counts: Uint32Array.from(kept, ([, id]) => this.#counts[id] ?? 0),
      passages: this.#passages,
    };
  }

  #open(word: string, id: number): void {
    this.#ids.set(word, id);
    if (id < this.#counts.length) return;
    this.#counts = grown(this.#counts);
    this.#last = grown(this.#last);
  }

  /** Forgets words of one passage, of two, and so on, until a half of the bound is left. */
  #forget(): void {
    let least = 2;
    let kept = [...this.#ids];
    for (; kept.length > this.#wordsMax / 2; least += 1)
      kept = kept.filter(([, id]) => (this.#counts[id] ?? 0) >= least);
    this.#counts = resized(this.#counts, kept);
    this.#last = resized(this.#last, kept);
    this.#ids = new Map(kept.map(([word], id) => [word, id]));
  }
}

function grown(numbers: Uint32Array): Uint32Array<ArrayBuffer> {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}

function resized(
  numbers: Uint32Array,
  kept: readonly (readonly [string, number])[],
): Uint32Array<ArrayBuffer> {
  const moved = new Uint32Array(Math.max(1 << 16, kept.length * 2));
  kept.forEach(([, from], to) => {
    moved[to] = numbers[from] ?? 0;
  });
  return moved;
}
