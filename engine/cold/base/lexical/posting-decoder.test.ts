import { describe, expect, it } from "vitest";
import { ColdFormatError } from "../../format-error.ts";
import { createPostingDecoder } from "./posting-decoder.ts";
import { RAW_LENGTH } from "./posting-lengths.ts";

describe("the decoder of postings", () => {
  const decoder = createPostingDecoder(Uint16Array.of(4, 4, RAW_LENGTH, 4));
  const all = { count: 3, previous: -1 };
  // Row 0 twice, row 1 once, row 2 raw with the value 0.5.
  const bytes = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0x3f);

  it("reads rows with tf or value, says where they end", () => {
    expect(decoder.decode(bytes, 0, all)).toBe(bytes.length);
    expect([...decoder.rows.subarray(0, 3)]).toEqual([0, 1, 2]);
    expect([...decoder.frequencies.subarray(0, 3)]).toEqual([2, 1, 0]);
    expect(decoder.values[2]).toBe(0.5);
  });

  it("refuses postings that end outside the bytes", () => {
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => decoder.decode(bytes.subarray(0, length), 0, all)).toThrow(ColdFormatError);
  });

  it("refuses a row that is none", () => {
    expect(() => decoder.decode(bytes, 0, { count: 3, previous: 1 })).toThrow(ColdFormatError);
    const far = Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f);
    expect(() => decoder.decode(far, 0, { count: 1, previous: -1 })).toThrow(ColdFormatError);
  });

  it("refuses a varint of more than five bytes, in a row, in a tf", () => {
    const endless = Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0, 0, 0);
    expect(() => decoder.decode(endless, 0, { count: 1, previous: -1 })).toThrow(ColdFormatError);
    expect(() => decoder.decode(Uint8Array.of(1, ...endless), 0, { count: 1, previous: -1 })).toThrow(
      ColdFormatError,
    );
  });
});
