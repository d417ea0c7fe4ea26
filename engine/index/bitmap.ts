/** A set of slots, one bit each. */
export interface Bitmap {
  readonly words: Uint32Array;
}

/** Returns an empty set with room for `slots` slots. */
export function createBitmap(slots: number): Bitmap {
  return { words: new Uint32Array(Math.ceil(slots / 32)) };
}

/** Whether the slot is in the set. */
export function hasBit({ words }: Bitmap, slot: number): boolean {
  return (((words[slot >>> 5] ?? 0) >>> (slot & 31)) & 1) === 1;
}

/** Adds the slot. */
export function setBit({ words }: Bitmap, slot: number): void {
  words[slot >>> 5] = (words[slot >>> 5] ?? 0) | (1 << (slot & 31));
}

/** Removes the slot. */
export function clearBit({ words }: Bitmap, slot: number): void {
  words[slot >>> 5] = (words[slot >>> 5] ?? 0) & ~(1 << (slot & 31));
}

/** Returns the slots that are in both. */
export function intersect(left: Bitmap, right: Bitmap): Bitmap {
  const words = new Uint32Array(left.words.length);
  for (let i = 0; i < words.length; i += 1) words[i] = (left.words[i] ?? 0) & (right.words[i] ?? 0);
  return { words };
}

/** Returns the slots of `left` that are not in `right`. */
export function subtract(left: Bitmap, right: Bitmap): Bitmap {
  const words = new Uint32Array(left.words.length);
  for (let i = 0; i < words.length; i += 1) words[i] = (left.words[i] ?? 0) & ~(right.words[i] ?? 0);
  return { words };
}

/** Adds the slots of `from` to `into`; both have the same room. */
export function unite(into: Bitmap, from: Bitmap): void {
  for (let i = 0; i < into.words.length; i += 1) into.words[i] = (into.words[i] ?? 0) | (from.words[i] ?? 0);
}

/** Returns how many slots the set holds, or any number above `enough` once that is passed. */
export function countBits({ words }: Bitmap, enough = Infinity): number {
  let total = 0;
  for (let i = 0; i < words.length && total <= enough; i += 1) {
    let word = words[i] ?? 0;
    // Parallel bit count (Warren, Hacker's Delight, section 5-1).
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    total += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
  }
  return total;
}

/** Calls `visit` with each slot of the set, ascending. */
export function forEachBit({ words }: Bitmap, visit: (slot: number) => void): void {
  for (let i = 0; i < words.length; i += 1) {
    for (let word = words[i] ?? 0; word !== 0; word &= word - 1)
      visit(i * 32 + 31 - Math.clz32(word & -word));
  }
}

/** Returns the set with room for `slots` slots. */
export function grown(bitmap: Bitmap, slots: number): Bitmap {
  if (bitmap.words.length * 32 >= slots) return bitmap;
  const next = createBitmap(slots);
  next.words.set(bitmap.words);
  return next;
}
