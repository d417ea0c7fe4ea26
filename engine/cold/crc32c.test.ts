import { describe, expect, it } from "vitest";
import { seededRandom } from "../seeded-random.ts";
import { crc32c } from "./crc32c.ts";

/** Bit by bit, as the polynomial is written down. */
function bitwise(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

describe("CRC-32C", () => {
  it("is that of RFC 3720, appendix B.4", () => {
    const counting = Uint8Array.from({ length: 32 }, (_, at) => at);
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
    expect(crc32c(counting)).toBe(0x46dd794e);
    expect(crc32c(counting.toReversed())).toBe(0x113fdb5c);
  });

  it("is the same wherever the bytes begin and however many there are", () => {
    const random = seededRandom(4);
    const bytes = Uint8Array.from({ length: 200 }, () => Math.floor(random() * 256));
    for (let from = 0; from < 9; from += 1)
      for (let length = 0; length < 40; length += 1) {
        const part = bytes.subarray(from, from + length);
        expect(crc32c(part)).toBe(bitwise(part));
      }
  });
});
