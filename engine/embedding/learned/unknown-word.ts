import type { RowTable } from "./rows.ts";
import type { WordIndex } from "./word-index.ts";
import { eachGram, wordKey } from "./word-key.ts";

/** Shorter parts are endings and prefixes, not words of a compound. */
const PART_UNITS_MIN = 4;
/** A known beginning of this share is the word in another form: "klagefristernes", "klagefristerne". */
const STEM_SHARE_MIN = 0.6;
const HAS_DIGIT = /\p{N}/u;
/** What joins the parts of compounds in Danish, Swedish, German. */
const JOINTS = ["", "s", "e", "es", "n", "en"] as const;
/** A word of its own is also what it is called: texts that share it lie nearer than its parts alone say. */
const LIKENESS_SHARE = 0.8;
const IDENTITY_SHARE = 0.6;

/** Returns the rows of the known words that an unknown one is made of, none when it is no compound. */
export function partsOf(word: string, index: WordIndex): readonly number[] {
  if (word.length < PART_UNITS_MIN + 2 || HAS_DIGIT.test(word)) return [];
  let stem = -1;
  let stemUnits = 0;
  for (let cut = word.length - 1; cut >= PART_UNITS_MIN; cut -= 1) {
    const first = index.rankOf(word.slice(0, cut));
    if (first < 0) continue;
    if (stem < 0) {
      stem = first;
      stemUnits = cut;
    }
    const second = afterJoint(word, cut, index);
    if (second >= 0) return [first, second];
  }
  return stem >= 0 && stemUnits >= word.length * STEM_SHARE_MIN ? [stem] : [];
}

function afterJoint(word: string, cut: number, index: WordIndex): number {
  for (const joint of JOINTS) {
    const from = cut + joint.length;
    if (word.length - from < PART_UNITS_MIN || !word.startsWith(joint, cut)) continue;
    const rank = index.rankOf(word.slice(from));
    if (rank >= 0) return rank;
  }
  return -1;
}

/** Gives a word without a row a vector from its runs of units, all of which are resident. */
export class UnknownWords {
  readonly #index: WordIndex;
  readonly #grams: RowTable;
  readonly #length: number;
  readonly #own: Float32Array;

  constructor(options: {
    readonly index: WordIndex;
    readonly grams: RowTable;
    readonly length: number;
    readonly dimensions: number;
  }) {
    this.#index = options.index;
    this.#grams = options.grams;
    this.#length = options.length;
    this.#own = new Float32Array(options.dimensions);
  }

  /** Adds what the word's runs of units say, beside a direction of the word's own. */
  addTo(sums: Float32Array, word: string, weight: number): void {
    const own = this.#own;
    own.fill(0);
    eachGram(word, (hash) => {
      const at = this.#index.gramOf(hash);
      if (at >= 0) this.#grams.addTo(own, at, 1);
    });
    let squares = 0;
    for (const value of own) squares += value * value;
    const known = squares > 0;
    if (known) {
      const scale = (weight * this.#length * LIKENESS_SHARE) / Math.sqrt(squares);
      for (let i = 0; i < sums.length; i += 1) sums[i] = (sums[i] ?? 0) + scale * (own[i] ?? 0);
    }
    this.addIdentity(sums, word, weight * (known ? IDENTITY_SHARE : 1));
  }

  /** Adds a direction that no other word has: signs drawn from the word's key by xorshift (Marsaglia 2003). */
  addIdentity(sums: Float32Array, word: string, weight: number): void {
    const { hash, check } = wordKey(word);
    const step = (weight * this.#length) / Math.sqrt(sums.length);
    let state = (hash ^ Math.imul(check + 1, 0x9e3779b1)) | 1;
    for (let i = 0; i < sums.length; i += 1) {
      if ((i & 31) === 0) {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
      }
      sums[i] = (sums[i] ?? 0) + (((state >>> (i & 31)) & 1) === 0 ? step : -step);
    }
  }
}
