/** Sums over the copies of ranges of documents, each range cut into sixteen on the level below. */
import { DEPTHS, type Depth } from "@kattegat/protocol/digests.ts";
import { differenceOf, sumOf } from "./copy-digest.ts";
import { setWide, wideAt } from "./wide-column.ts";

/** Lines of a range that differs are exchanged one by one: a kilobyte of them costs no more than another level. */
const LEAF_DOCUMENTS = 64;

const KEY_BITS = 64n;

export interface RangeDigest {
  readonly sum: bigint;
  readonly documents: number;
}

/**
 * Keeps one number for each range, not for each document, so its memory is 1.7 MB however many there are. What takes a copy out
 * has to say what was added for it.
 */
export class DigestTree {
  readonly #levels: ReadonlyMap<Depth, { readonly sums: BigUint64Array; readonly documents: Int32Array }>;

  constructor() {
    this.#levels = new Map(
      DEPTHS.map((depth) => [
        depth,
        { sums: new BigUint64Array(2 << depth), documents: new Int32Array(1 << depth) },
      ]),
    );
  }

  clone(): DigestTree {
    const copy = new DigestTree();
    for (const [depth, { sums, documents }] of this.#levels) {
      copy.#levels.get(depth)?.sums.set(sums);
      copy.#levels.get(depth)?.documents.set(documents);
    }
    return copy;
  }

  add(key: bigint, digest: bigint): void {
    this.#change(key, 1, (sum) => sumOf(sum, digest));
  }

  remove(key: bigint, digest: bigint): void {
    this.#change(key, -1, (sum) => differenceOf(sum, digest));
  }

  replace(key: bigint, before: bigint, after: bigint): void {
    this.#change(key, 0, (sum) => sumOf(differenceOf(sum, before), after));
  }

  /** Sets one of the smallest ranges to what was counted anew. */
  setLeaf(index: number, counted: RangeDigest): void {
    const before = this.at(16, index);
    if (before.sum === counted.sum && before.documents === counted.documents) return;
    const key = BigInt(index) << (KEY_BITS - 16n);
    this.#change(key, counted.documents - before.documents, (sum) =>
      sumOf(differenceOf(sum, before.sum), counted.sum),
    );
  }

  at(depth: Depth, index: number): RangeDigest {
    const level = this.#levels.get(depth);
    return {
      sum: level === undefined ? 0n : wideAt(level.sums, index),
      documents: level?.documents[index] ?? 0,
    };
  }

  get documents(): number {
    return this.at(0, 0).documents;
  }

  #change(key: bigint, documents: number, edit: (sum: bigint) => bigint): void {
    for (const [depth, level] of this.#levels) {
      const index = rangeOf(key, depth);
      setWide(level.sums, index, edit(wideAt(level.sums, index)));
      level.documents[index] = (level.documents[index] ?? 0) + documents;
    }
  }
}

/** The range of a key on a level. */
export function rangeOf(key: bigint, depth: Depth): number {
  return Number(key >> (KEY_BITS - BigInt(depth)));
}

/** The ranges on the level below that make up these; the same ranges on the lowest. */
export function childrenOf(indexes: readonly number[]): number[] {
  return indexes.flatMap((index) => Array.from({ length: 16 }, (_, child) => index * 16 + child));
}

/** The level on which ranges of so many documents have some tens each. */
export function leafDepth(documents: number): Depth {
  return DEPTHS.find((depth) => documents <= LEAF_DOCUMENTS << depth) ?? 16;
}

/** The smallest ranges that make up a range. */
export function leavesOf(depth: Depth, index: number): { readonly from: number; readonly to: number } {
  return { from: index << (16 - depth), to: (index + 1) << (16 - depth) };
}
