import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ColdFormatError } from "./format-error.ts";
import { decodeNumbers, encodeNumbers } from "./numbers.ts";

describe("ascending numbers", () => {
  it("come back as they were written", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(0xffff_ffff)), (numbers) => {
        const ascending = numbers.toSorted((a, b) => a - b);
        expect(decodeNumbers(encodeNumbers(ascending))).toEqual(ascending);
      }),
    );
  });

  it("take one byte each where they lie close together", () => {
    expect(encodeNumbers(Array.from({ length: 300 }, (_, at) => at * 50))).toHaveLength(400);
  });

  it.each(["*", "gA==", "/////38="])("are refused when they read %s", (text) => {
    expect(() => decodeNumbers(text)).toThrow(ColdFormatError);
  });

  it("are refused in another order", () => {
    expect(() => encodeNumbers([2, 2])).toThrow(RangeError);
  });
});
