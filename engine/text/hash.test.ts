import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hash32 } from "./hash.ts";

/** The same hash over TextEncoder's bytes. */
function reference(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

describe("hash32", () => {
  it("keeps the ids that stored vectors are made of", () => {
    expect(["", "ret", "§12", "undervisning", "人权", "𞤀"].map(hash32)).toMatchInlineSnapshot(`
      [
        2872998923,
        347800504,
        4029613635,
        286227258,
        2510365019,
        240372863,
      ]
    `);
  });

  it("hashes the UTF-8 bytes of any string, lone surrogates included", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)) }),
        (text) => hash32(text) === reference(text),
      ),
    );
  });

  it("gives few collisions among 200,000 terms", () => {
    const ids = new Set(Array.from({ length: 200_000 }, (_, i) => hash32(`term${i}`)));
    expect(200_000 - ids.size).toBeLessThan(20);
  });
});
