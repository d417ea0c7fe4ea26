/** The documents that objects list, as numbers. */
import { keyOf, listedDigest } from "@kattegat/engine/digests/copy-digest.ts";
import { DigestTree, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { setWide, wideAt } from "@kattegat/engine/digests/wide-column.ts";
import type { Depth, DigestLine } from "@kattegat/protocol/digests.ts";
import type { ListedDocument } from "./cold-object.ts";

const DOCUMENTS_MIN = 1_024;

/** 24 bytes a document and 1.7 MB for the tree. */
export class ListedCopies {
  readonly tree: DigestTree;
  #keys = new BigUint64Array(DOCUMENTS_MIN);
  /** Two numbers make the 128 bits of a digest; 0 for a document that is not told. */
  #digests = new BigUint64Array(DOCUMENTS_MIN * 2);
  #count = 0;

  constructor(tree = new DigestTree()) {
    this.tree = tree;
  }

  /** A number may come in any order, each once. */
  add({ number, documentId, version }: ListedDocument): void {
    while (number >= this.#keys.length) this.#grow();
    const key = keyOf(documentId);
    const digest = listedDigest(documentId, version);
    this.#keys[number] = key;
    setWide(this.#digests, number, digest);
    this.#count = Math.max(this.#count, number + 1);
    this.tree.add(key, digest);
  }

  /** Takes a document out of a tree that was made of these. */
  removeFrom(tree: DigestTree, number: number): void {
    if (number < this.#count) tree.remove(this.#keys[number] ?? 0n, wideAt(this.#digests, number));
  }

  *linesIn(depth: Depth, indexes: ReadonlySet<number>): Generator<DigestLine & { readonly number: number }> {
    for (const { number, key, digest } of this.#told())
      if (indexes.has(rangeOf(key, depth))) yield { number, key, digest };
  }

  among(keys: ReadonlySet<bigint>): { readonly key: bigint; readonly number: number }[] {
    const found: { key: bigint; number: number }[] = [];
    for (const { number, key } of this.#told()) if (keys.has(key)) found.push({ key, number });
    return found;
  }

  /** Numbers of hidden documents are left out between others. */
  *#told(): Generator<DigestLine & { readonly number: number }> {
    for (let number = 0; number < this.#count; number += 1) {
      const digest = wideAt(this.#digests, number);
      if (digest !== 0n) yield { number, key: this.#keys[number] ?? 0n, digest };
    }
  }

  #grow(): void {
    const keys = new BigUint64Array(this.#keys.length * 2);
    keys.set(this.#keys);
    this.#keys = keys;
    const digests = new BigUint64Array(this.#digests.length * 2);
    digests.set(this.#digests);
    this.#digests = digests;
  }
}
