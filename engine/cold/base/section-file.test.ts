import { describe, expect, it } from "vitest";
import { crc32c } from "../crc32c.ts";
import { ColdFormatError } from "../format-error.ts";
import { decodePieces, encodePieces, type Piece } from "./piece.ts";
import { decodeSectionFile, encodeSectionFile, sectionOf } from "./section-file.ts";
import { createVolumeWriter } from "./volume-writer.ts";

const KIND = { magic: "TEST", version: 3 };
const SECTIONS = new Map([
  ["first", Uint8Array.of(1, 2, 3)],
  ["empty", new Uint8Array(0)],
  ["sixteen-letters!", new Uint8Array(100).fill(7)],
]);

describe("a file of sections", () => {
  it("gives back each section, at a multiple of eight bytes", () => {
    const sections = decodeSectionFile(encodeSectionFile(KIND, SECTIONS), KIND);
    expect([...sections.keys()]).toEqual([...SECTIONS.keys()]);
    for (const [name, bytes] of SECTIONS) {
      expect(sectionOf(sections, name)).toEqual(bytes);
      expect(sectionOf(sections, name).byteOffset % 8).toBe(0);
    }
    expect(() => sectionOf(sections, "other")).toThrow(ColdFormatError);
  });

  it("is refused with any bit flipped that carries meaning (I13)", () => {
    const file = encodeSectionFile(KIND, SECTIONS);
    const padding = new Set<number>();
    // Header and directory end at 100; sections start at 104, 112 and 112.
    for (let at = 100; at < 104; at += 1) padding.add(at);
    for (let at = 107; at < 112; at += 1) padding.add(at);
    for (let at = 212; at < file.length; at += 1) padding.add(at);
    for (let at = 0; at < file.length; at += 1) {
      if (padding.has(at)) continue;
      const damaged = file.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 4;
      expect(() => decodeSectionFile(damaged, KIND), `byte ${at}`).toThrow(ColdFormatError);
    }
  });

  it("is refused when it is cut off, of another kind or of another version", () => {
    const file = encodeSectionFile(KIND, SECTIONS);
    for (const length of [0, 10, 40, file.length - 1])
      expect(() => decodeSectionFile(file.subarray(0, length), KIND)).toThrow(ColdFormatError);
    expect(() => decodeSectionFile(file, { ...KIND, magic: "ELSE" })).toThrow('expected the bytes "ELSE"');
    expect(() => decodeSectionFile(file, { ...KIND, version: 4 })).toThrow(
      "expected version 4 of TEST, got 3",
    );
  });
});

describe("volumes", () => {
  it("hold each piece whole, where it was said to be", async () => {
    const volumes = new Map<string, Uint8Array>();
    const writer = createVolumeWriter(
      (file, volume, bytes) => {
        volumes.set(`${file}.${volume}`, bytes);
        return Promise.resolve();
      },
      { volumeBytesMax: 100 },
    );
    const buffer = new Uint8Array(40);
    const pieces: Piece[] = [];
    for (let number = 0; number < 7; number += 1) {
      buffer.fill(number);
      pieces.push(await writer.write(number % 3 === 0 ? "codes" : "rows", buffer));
    }
    expect(await writer.finish()).toEqual({ codes: 2, rows: 2, postings: 0, columns: 0 });
    const table = decodePieces("rows", encodePieces(pieces.filter(({ file }) => file === "rows")));
    expect(table.count).toBe(4);
    expect(table.at(3)).toEqual(pieces[5]);
    expect(() => table.at(4)).toThrow(RangeError);
    for (const [number, { file, volume, offset, length, checksum }] of pieces.entries()) {
      const bytes = volumes.get(`${file}.${volume}`)?.subarray(offset, offset + length) ?? new Uint8Array(0);
      expect(bytes).toEqual(new Uint8Array(40).fill(number));
      expect(crc32c(bytes)).toBe(checksum);
    }
  });
});
