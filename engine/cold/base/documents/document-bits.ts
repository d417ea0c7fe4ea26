/** Numbers of equal width, packed bit by bit. */
import { ColdFormatError } from "../../format-error.ts";

export interface PackedNumbers {
  readonly residentBytes: number;
  at(index: number): number;
}

/** Up to this width a number lies within four bytes wherever it starts; wider ones take four bytes each. */
const NARROW_BITS_MAX = 25;
/** So that the last number's four bytes are there too. */
const PADDING_BYTES = 3;

/** Returns the width of numbers up to the maximum; 0 when all are 0. */
export function bitsFor(maximum: number): number {
  const bits = 32 - Math.clz32(maximum);
  return bits > NARROW_BITS_MAX ? 32 : bits;
}

/** Returns the numbers, each in `bits` bits, lowest bit first. */
export function packNumbers(numbers: Uint32Array, bits: number): Uint8Array {
  const packed = new Uint8Array(packedBytes(numbers.length, bits));
  for (let i = 0; i < numbers.length; i += 1) {
    const bit = i * bits;
    const number = numbers[i] ?? 0;
    for (let done = 0; done < bits;) {
      const at = (bit + done) >>> 3;
      const shift = (bit + done) & 7;
      packed[at] = (packed[at] ?? 0) | (((number >>> done) << shift) & 255);
      done += 8 - shift;
    }
  }
  return packed;
}

/** Returns the numbers for reading where they lie. @throws {ColdFormatError} when there are not `count` of them. */
export function unpackNumbers(packed: Uint8Array, count: number, bits: number): PackedNumbers {
  if (packed.byteLength !== packedBytes(count, bits))
    throw new ColdFormatError(
      `expected ${count} numbers of ${bits} bits, got ${packed.byteLength} bytes of them`,
    );
  const mask = bits === 32 ? ~0 : (1 << bits) - 1;
  return {
    residentBytes: packed.byteLength,
    at(index) {
      const bit = index * bits;
      const at = bit >>> 3;
      const four =
        (packed[at] ?? 0) |
        ((packed[at + 1] ?? 0) << 8) |
        ((packed[at + 2] ?? 0) << 16) |
        ((packed[at + 3] ?? 0) << 24);
      return ((four >>> (bit & 7)) & mask) >>> 0;
    },
  };
}

function packedBytes(count: number, bits: number): number {
  return bits === 0 ? 0 : Math.ceil((count * bits) / 8) + PADDING_BYTES;
}
