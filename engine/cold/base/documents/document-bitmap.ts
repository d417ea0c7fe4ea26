/** Sets of documents or rows as wholes. */
import { type Bitmap, createBitmap } from "../../../index/bitmap.ts";

/** Returns the set of all `units`. */
export function fullBitmap(units: number): Bitmap {
  return complement(createBitmap(units), units);
}

/** Returns those of `units` that are not in the set. */
export function complement({ words }: Bitmap, units: number): Bitmap {
  const set = createBitmap(units);
  for (let i = 0; i < set.words.length; i += 1) set.words[i] = ~(words[i] ?? 0);
  const rest = units & 31;
  const last = set.words.length - 1;
  if (rest !== 0) set.words[last] = (set.words[last] ?? 0) & ((1 << rest) - 1);
  return set;
}

/** Returns those that are in at least `least` of the sets. */
export function inAtLeast(sets: readonly Bitmap[], least: number, units: number): Bitmap {
  if (least <= 0) return fullBitmap(units);
  // Place n holds what is in more than n of the sets seen so far.
  const levels = Array.from({ length: Math.min(least, sets.length + 1) }, () => createBitmap(units).words);
  for (const { words } of sets) {
    for (let level = levels.length - 1; level >= 0; level -= 1) {
      const into = levels[level];
      const below = levels[level - 1];
      if (into === undefined) continue;
      for (let i = 0; i < into.length; i += 1)
        into[i] = (into[i] ?? 0) | ((words[i] ?? 0) & (below === undefined ? ~0 : (below[i] ?? 0)));
    }
  }
  return least > sets.length ? createBitmap(units) : { words: levels[least - 1] ?? new Uint32Array(0) };
}

/** Whether the set is empty. */
export function isEmptyBitmap({ words }: Bitmap): boolean {
  for (let i = 0; i < words.length; i += 1) if (words[i] !== 0) return false;
  return true;
}
