import { ColdFormatError } from "../../format-error.ts";

/**
 * Bits of the filter for each term of a dictionary page.
 *
 * A query word stands for its stems in all languages, so six of its seventeen forms are no term of the base: ten bits let
 * eight of a thousand of these through to a read, five would let nine of a hundred.
 */
const BITS_PER_TERM = 10;
/** ln 2 · bits a term (Bloom, 1970). */
const HASHES = 7;

/** Returns a Bloom filter of the terms. */
export function encodeTermFilter(ids: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(Math.ceil((ids.length * BITS_PER_TERM) / 8));
  const bits = bytes.length * 8;
  for (const id of ids)
    for (let i = 0; i < HASHES; i += 1) {
      const bit = bitOf(id, i, bits);
      bytes[bit >>> 3] = (bytes[bit >>> 3] ?? 0) | (1 << (bit & 7));
    }
  return bytes;
}

/** Returns whether the term may be one of the filter's; true for each that is. */
export function mayHaveTerm(filter: Uint8Array, id: number): boolean {
  const bits = filter.length * 8;
  if (bits === 0) return false;
  if (bits >= 2 ** 32) throw new ColdFormatError("expected a term filter of less than 512 MiB");
  for (let i = 0; i < HASHES; i += 1) {
    const bit = bitOf(id, i, bits);
    if ((((filter[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) === 0) return false;
  }
  return true;
}

/** Double hashing (Kirsch and Mitzenmacher, 2006); ids are hashes already, the multiplications part those that are not. */
function bitOf(id: number, i: number, bits: number): number {
  const first = Math.imul(id ^ (id >>> 15), 0x9e37_79b1) >>> 0;
  const second = (Math.imul(id ^ (id >>> 13), 0x85eb_ca6b) | 1) >>> 0;
  return (first + i * second) % bits;
}
