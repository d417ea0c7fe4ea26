/** Digests of what an archive's bucket lists. */
import { keyDigitsOf } from "@kattegat/engine/digests/hashed-id.ts";
import { damageDigest, namedDigest, sumOf } from "@kattegat/engine/digests/copy-digest.ts";
import { DigestTree, leavesOf, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import { decodeKey } from "@kattegat/protocol/digests.ts";
import { documentOf, parseKey } from "./object-name.ts";
import type { ObjectVersion } from "./s3-answer.ts";

const LEAVES = leavesOf(0, 0).to;

/** As much of a version as its digest is made of. */
export type Listed = Pick<ObjectVersion, "key" | "version" | "isLatest">;

/** What a write has done with one document's objects. */
export interface Written {
  readonly document: string;
  /** Null where its object was there before, or none was put. */
  readonly added: Listed | null;
  /** Null where nobody can tell what is gone. */
  readonly removed: readonly Listed[] | null;
}

/** Hears of what this process writes. */
export interface WriteWatch {
  /**
   * Objects of these documents, named by their hashes, are put and deleted from now on, until what is returned is called: with what was
   * done, or null where it failed somewhere.
   */
  begin(documents: readonly string[]): (written: readonly Written[] | null) => void;
}

/** Names of some leaves as they were listed, and the state of these before. */
export interface Listing {
  readonly leaves: { readonly from: number; readonly to: number };
  readonly mark: Uint32Array;
}

/**
 * No S3 server sums anything, so names are listed range by range, over and over, and what this process writes meanwhile is added and
 * taken out. It is a hint where to look, never a verdict: another writer's objects are seen by the next list.
 *
 * 2.2 MB however many objects, and a page or two of names while one is listed.
 */
export class ListedDigests implements WriteWatch {
  readonly tree = new DigestTree();
  readonly #isCounted = new Uint8Array(LEAVES);
  #counted = 0;
  /** Beginnings and ends of writes in each leaf. */
  readonly #writes = new Uint32Array(LEAVES);
  readonly #open = new Uint16Array(LEAVES);
  #openBatches = 0;
  readonly #doubted = new Set<number>();

  /** Whether every leaf was listed since the start. */
  get isWhole(): boolean {
    return this.#counted === LEAVES;
  }

  get isWriting(): boolean {
    return this.#openBatches > 0;
  }

  /** Some of the leaves that are to be listed apart from the others, in which nothing is written now. */
  settledDoubts(most: number): readonly number[] {
    const settled: number[] = [];
    for (const leaf of this.#doubted) {
      if (settled.length === most) break;
      if (this.#open[leaf] === 0) settled.push(leaf);
    }
    return settled;
  }

  begin(documents: readonly string[]): (written: readonly Written[] | null) => void {
    this.#openBatches += 1;
    const leaves = documents.map((document) => rangeOf(keyOfHash(document), 16));
    for (const leaf of leaves) this.#touch(leaf, 1);
    return (written) => {
      this.#openBatches -= 1;
      for (const leaf of leaves) this.#touch(leaf, -1);
      if (written === null) for (const leaf of leaves) this.#doubted.add(leaf);
      for (const each of written ?? []) this.#take(each);
    };
  }

  /** Before a list of these leaves is asked for. */
  listing(leaves: Listing["leaves"]): Listing {
    return { leaves, mark: this.#writes.slice(leaves.from, leaves.to) };
  }

  /** Sets the leaves to what was listed of them, but for those in which something was written meanwhile. */
  count({ leaves: { from, to }, mark }: Listing, listed: readonly Listed[]): void {
    const sums = new Map<number, { sum: bigint; documents: number }>();
    for (const each of listed) {
      const key = keyOfObject(each);
      if (key === null) continue;
      const leaf = rangeOf(key, 16);
      const { sum, documents } = sums.get(leaf) ?? { sum: 0n, documents: 0 };
      sums.set(leaf, { sum: sumOf(sum, digestOf(each)), documents: documents + 1 });
    }
    for (let leaf = from; leaf < to; leaf += 1) {
      const isQuiet = this.#open[leaf] === 0 && this.#writes[leaf] === mark[leaf - from];
      if (isQuiet) this.#set(leaf, sums.get(leaf) ?? { sum: 0n, documents: 0 });
      else this.#doubted.add(leaf);
    }
  }

  #set(leaf: number, counted: { readonly sum: bigint; readonly documents: number }): void {
    this.tree.setLeaf(leaf, counted);
    this.#doubted.delete(leaf);
    this.#counted += this.#isCounted[leaf] === 0 ? 1 : 0;
    this.#isCounted[leaf] = 1;
  }

  #take({ document, added, removed }: Written): void {
    const key = keyOfHash(document);
    if (removed === null) this.#doubted.add(rangeOf(key, 16));
    if (added !== null) this.tree.add(key, digestOf(added));
    for (const each of removed ?? []) this.tree.remove(key, digestOf(each));
  }

  #touch(leaf: number, by: 1 | -1): void {
    this.#writes[leaf] = (this.#writes[leaf] ?? 0) + 1;
    this.#open[leaf] = (this.#open[leaf] ?? 0) + by;
  }
}

/** The key of a document by the hash of its id. */
function keyOfHash(document: string): bigint {
  return decodeKey(keyDigitsOf(document));
}

/** Null for an object that is under no document's name. */
export function keyOfObject({ key }: Pick<Listed, "key">): bigint | null {
  const document = documentOf(key);
  return document === null ? null : keyOfHash(document);
}

/** What an object adds to the digest of its document; one that should not be there adds what no plan has. */
export function digestOf({ key, version, isLatest }: Listed): bigint {
  const name = isLatest ? parseKey(key) : null;
  if (name === null) return damageDigest(key, version ?? "");
  const { document, fence, residency, digest } = name;
  return namedDigest({ document, version: fence.sequence, residency, digest });
}
