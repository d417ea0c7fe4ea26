/** Merkle trees as certificate transparency has them (RFC 6962, section 2.1). */
import { hash } from "node:crypto";

export type Hash = Uint8Array;

/** What keeps a leaf from passing for a node. */
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** SHA-256 of nothing: the root of a tree without leaves. */
export const EMPTY_ROOT: Hash = hash("sha256", "", "buffer");

export function leafHash(data: string | Uint8Array): Hash {
  return hash(
    "sha256",
    Buffer.concat([LEAF, typeof data === "string" ? Buffer.from(data, "utf8") : data]),
    "buffer",
  );
}

export function nodeHash(left: Hash, right: Hash): Hash {
  return hash("sha256", Buffer.concat([NODE, left, right]), "buffer");
}

/** The largest power of two below `count`: where a tree of two leaves or more is split. */
export function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** The root of a tree with these leaf hashes. */
export function rootOf(leaves: readonly Hash[]): Hash {
  const [first] = leaves;
  if (first === undefined) return EMPTY_ROOT;
  if (leaves.length === 1) return first;
  const split = splitOf(leaves.length);
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

/** The audit path of a leaf, from its sibling up (RFC 6962, section 2.1.1). */
export function inclusionPath(leaves: readonly Hash[], index: number): readonly Hash[] {
  if (leaves.length <= 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...inclusionPath(leaves.slice(0, split), index), rootOf(leaves.slice(split))]
    : [...inclusionPath(leaves.slice(split), index - split), rootOf(leaves.slice(0, split))];
}
