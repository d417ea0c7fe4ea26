/** Words found by their characters in a text, so that looking one up makes no string. */
interface Keyed {
  /** As it stands in a text. */
  readonly piece: string;
}

/** A power of two; the table doubles when it is half full. */
const CELLS_MIN = 1_024;

export class WordTable<Word extends Keyed> {
  #hashes = new Int32Array(CELLS_MIN);
  #words: (Word | undefined)[] = Array.from({ length: CELLS_MIN });
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** `hash` is `hashOfPiece` of the same characters. */
  find(text: string, place: { readonly start: number; readonly end: number }, hash: number): Word | null {
    const mask = this.#words.length - 1;
    for (let at = hash & mask; ; at = (at + 1) & mask) {
      const word = this.#words[at];
      if (word === undefined) return null;
      if (this.#hashes[at] === hash && isPiece(word.piece, text, place)) return word;
    }
  }

  /** Adds a word that is not in the table. */
  add(word: Word, hash: number): void {
    if (this.#size * 2 >= this.#words.length) this.#grow();
    this.#insert(word, hash);
    this.#size += 1;
  }

  #insert(word: Word, hash: number): void {
    const mask = this.#words.length - 1;
    let at = hash & mask;
    while (this.#words[at] !== undefined) at = (at + 1) & mask;
    this.#words[at] = word;
    this.#hashes[at] = hash;
  }

  #grow(): void {
    const words = this.#words;
    const hashes = this.#hashes;
    this.#words = Array.from({ length: words.length * 2 });
    this.#hashes = new Int32Array(words.length * 2);
    for (const [at, word] of words.entries()) if (word !== undefined) this.#insert(word, hashes[at] ?? 0);
  }
}

/** For this table alone: it never leaves the process. */
export function hashOfPiece(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5 ^ (end - start);
  for (let at = start; at < end; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  // The low bits choose the cell.
  return hash ^ (hash >>> 15);
}

function isPiece(
  piece: string,
  text: string,
  { start, end }: { readonly start: number; readonly end: number },
): boolean {
  if (piece.length !== end - start) return false;
  for (let at = 0; at < piece.length; at += 1)
    if (piece.charCodeAt(at) !== text.charCodeAt(start + at)) return false;
  return true;
}
