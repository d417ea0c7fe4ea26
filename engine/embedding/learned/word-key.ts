import { hash32 } from "../../text/hash.ts";

/**
 * What names a word in an artefact, which holds no spelling.
 *
 * Two hashes of 32 and 16 bits: among 250,000 words some seven pairs share the first, one in 10,000 tables a pair of both.
 */
export interface WordKey {
  readonly hash: number;
  readonly check: number;
}

/** Returns the key of a folded word. */
export function wordKey(word: string): WordKey {
  return { hash: hash32(word), check: checkOf(word) };
}

/** A second hash, of UTF-16 units, with other constants than the first: they collide independently. */
function checkOf(word: string): number {
  let hash = 0x3c6ef372;
  for (let i = 0; i < word.length; i += 1) {
    hash = Math.imul(hash ^ word.charCodeAt(i), 0xcc9e2d51);
    hash = (hash << 13) | (hash >>> 19);
  }
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return ((hash ^ (hash >>> 12)) >>> 0) & 0xffff;
}

/** Shorter parts of a word are endings and prefixes of every word. */
const GRAM_UNITS_MIN = 4;
const GRAM_UNITS_MAX = 5;
/** Marks that stand before and after a word, so that its beginning differs from its middle. */
const BEGIN = "‹";
const END = "›";

/** Calls `take` with the hash of each run of 4 or 5 units in "‹word›". */
export function eachGram(word: string, take: (hash: number) => void): void {
  const marked = `${BEGIN}${word}${END}`;
  for (let units = GRAM_UNITS_MIN; units <= GRAM_UNITS_MAX; units += 1)
    for (let from = 0; from + units <= marked.length; from += 1)
      take(hash32(marked.slice(from, from + units)));
}
