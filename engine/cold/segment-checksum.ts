/** The checksum of a whole segment, from what a reader of ranges holds. */
import { crc32c } from "./crc32c.ts";
import type { Header } from "./container.ts";
import type { TextBlock } from "./text-blocks.ts";

/** As in crc32c.ts. */
const POLYNOMIAL = 0x82f63b78;

/**
 * Returns the CRC-32C of the object: the header's own, the resident sections', and those of the pieces of the sections that
 * are read by range, which the resident ones hold. So a segment is told from every other without reading it whole.
 *
 * The checksum of two parts in a row is the first one's times x to the power of the second's bits, plus the second's
 * (`crc32_combine` of zlib, M. Adler).
 */
export function segmentChecksum(
  { header, headerBytes }: { readonly header: Header; readonly headerBytes: Uint8Array },
  tables: { readonly floatChecks: Uint32Array; readonly textBlocks: readonly TextBlock[] },
): number {
  const { sections, dimensions } = header;
  let crc = crc32c(headerBytes);
  let end = headerBytes.byteLength;
  const append = (checksum: number, length: number): void => {
    crc = (multiply(zeros(length), crc) ^ checksum) >>> 0;
    end += length;
  };
  const pad = (to: number): void => {
    if (to > end) append(crc32c(new Uint8Array(to - end)), to - end);
  };
  for (const [name, { offset, length, checksum }] of Object.entries(sections)) {
    pad(offset);
    if (name === "floats") {
      const rowBytes = dimensions * 4;
      const row = zeros(rowBytes);
      for (const check of tables.floatChecks) crc = (multiply(row, crc) ^ check) >>> 0;
      end += tables.floatChecks.length * rowBytes;
    } else if (name === "texts") {
      for (const block of tables.textBlocks) append(block.checksum, block.length);
    } else append(checksum, length);
  }
  pad(Math.ceil(end / 8) * 8);
  return crc;
}

/** x to the power of 8·`length`, modulo the polynomial. */
function zeros(length: number): number {
  let power = 0x80000000;
  let factor = 0x00800000;
  for (let left = length; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(factor, power);
    factor = multiply(factor, factor);
  }
  return power;
}

/** The product of two polynomials modulo the third, highest power in the lowest bit. */
function multiply(left: number, right: number): number {
  let product = 0;
  let shifted = right;
  for (let bit = 31; bit >= 0; bit -= 1) {
    if ((left >>> bit) & 1) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}
