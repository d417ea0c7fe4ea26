/** What stands for one copy in a digest: 128 bits that the system of record and a store compute alike. */
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";

const BITS = 128;
/** Sums wrap here. */
const MODULUS = 1n << BigInt(BITS);

/** What of a copy every store can tell. */
export interface CopyIdentity {
  readonly documentId: string;
  readonly version: string;
  readonly residency: string;
}

/** What stores of points tell besides: their first passage says which content the copy has. */
export interface CopyContent extends CopyIdentity {
  readonly digest: string;
  readonly passages: number;
}

/**
 * The place of a document in a tree of digests: the first 64 bits of its id's SHA-256.
 *
 * Among a million documents two share a key with a probability of 3 · 10⁻⁸; then both would be looked at when one differs.
 */
export function keyOf(documentId: string): bigint {
  return first64(sha256(utf8ToBytes(documentId)));
}

/** What each sound passage of a copy adds to the copy's digest. */
export function passageDigest({ documentId, version, residency }: CopyIdentity): bigint {
  return hashOf(["passage", documentId, version, residency]);
}

/** What the passage that says which content the copy has adds besides. */
export function contentDigest({ documentId, version, residency, digest, passages }: CopyContent): bigint {
  return hashOf(["content", documentId, version, residency, digest, String(passages)]);
}

/** What something that is no sound passage adds: another number for each place and state of it. */
export function damageDigest(place: string, state: string): bigint {
  return hashOf(["damage", place, state]);
}

/** The digest of a copy that is as it should be in a store of points. */
export function copyDigest(copy: CopyContent): bigint {
  return sumOf(passageDigest(copy) * BigInt(copy.passages), contentDigest(copy));
}

/** The digest of a copy in a store that lists documents: whether their bytes are sound is another question there. */
export function listedDigest(documentId: string, version: string): bigint {
  return hashOf(["listed", documentId, version]);
}

/** What an archive's list tells of a copy: neither its id nor its passages. */
export interface NamedCopy {
  /** SHA-256 of the document's id, in hexadecimal. */
  readonly document: string;
  readonly version: string;
  readonly residency: string;
  readonly digest: string;
}

/** The digest of a copy in an archive: whether its bytes are sound is another question there. */
export function namedDigest({ document, version, residency, digest }: NamedCopy): bigint {
  return hashOf(["named", document, version, residency, digest]);
}

/**
 * Addition modulo 2¹²⁸.
 *
 * A sum does not depend on the order, and two sets that differ have the same sum by an accident of 2⁻¹²⁸: what differs is the
 * difference of two hashes. An exclusive or would not see a passage that is there twice.
 */
export function sumOf(one: bigint, other: bigint): bigint {
  return BigInt.asUintN(BITS, one + other);
}

/** Takes out of a sum what was added to it. */
export function differenceOf(sum: bigint, part: bigint): bigint {
  return BigInt.asUintN(BITS, sum + MODULUS - part);
}

function hashOf(parts: readonly string[]): bigint {
  const hash = sha256(utf8ToBytes(JSON.stringify(parts)));
  return (first64(hash) << 64n) | first64(hash.subarray(8));
}

function first64(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
}
