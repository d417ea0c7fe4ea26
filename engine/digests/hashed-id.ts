/** A document by the hash of its id, for stores that are not to know the id. */
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";

/** Of a key, which is the beginning of the hash. */
const KEY_DIGITS = 16;

/** The SHA-256 of an id, in hexadecimal. */
export function hashedId(documentId: string): string {
  return bytesToHex(sha256(utf8ToBytes(documentId)));
}

/** The key of a document by the hash of its id, as digests are exchanged. */
export function keyDigitsOf(hash: string): string {
  return hash.slice(0, KEY_DIGITS);
}
