import type { ArtefactHead } from "./artefact.ts";
import { wordKey } from "./word-key.ts";

/** Finds the row of a word by its key. */
export class WordIndex {
  readonly #head: ArtefactHead;
  constructor(head: ArtefactHead) {
    this.#head = head;
  }

  /** Returns the word's row, -1 when it has none. */
  rankOf(word: string): number {
    const { hashes, checks, ranks } = this.#head;
    const { hash, check } = wordKey(word);
    for (let at = firstAtLeast(hashes, hash); hashes[at] === hash; at += 1)
      if (checks[at] === check) return ranks[at] ?? -1;
    return -1;
  }

  /** Returns the row of a run of units, -1 when it has none. */
  gramOf(hash: number): number {
    const { gramHashes } = this.#head;
    const at = firstAtLeast(gramHashes, hash);
    return gramHashes[at] === hash ? at : -1;
  }
}

function firstAtLeast(ascending: Uint32Array, wanted: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] ?? 0) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
