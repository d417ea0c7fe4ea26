/** The root of a Merkle tree that grows, without its leaves. */
import { EMPTY_ROOT, nodeHash, type Hash } from "@kattegat/primary-dk/ledger/merkle.ts";

/** Keeps one hash for each whole subtree, largest first: at most one for each binary digit of the size. */
export class CompactRange {
  readonly #whole: { readonly width: number; readonly hash: Hash }[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  append(leaf: Hash): void {
    let added = { width: 1, hash: leaf };
    for (let last = this.#whole.at(-1); last?.width === added.width; last = this.#whole.at(-1)) {
      this.#whole.pop();
      added = { width: 2 * added.width, hash: nodeHash(last.hash, added.hash) };
    }
    this.#whole.push(added);
    this.#size += 1;
  }

  root(): Hash {
    const [last, ...before] = this.#whole.toReversed();
    if (last === undefined) return EMPTY_ROOT;
    return before.reduce((root, { hash }) => nodeHash(hash, root), last.hash);
  }
}
