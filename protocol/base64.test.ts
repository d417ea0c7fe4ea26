import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  base64Schema,
  decodeBase64,
  decodeFloats,
  decodeIntegers,
  encodeBase64,
  encodeFloats,
  encodeIntegers,
} from "./base64.ts";

describe("base64", () => {
  it("writes what Node writes, for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const text = encodeBase64(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("base64"));
        expect(base64Schema.safeParse(text).success).toBe(true);
        expect(decodeBase64(text)).toEqual(new Uint8Array(bytes));
      }),
    );
  });

  it("gives back every float, bit by bit", () => {
    fc.assert(
      fc.property(fc.float32Array(), (values) => {
        const back = decodeFloats(encodeFloats(values));
        expect(new Uint8Array(back.buffer)).toEqual(new Uint8Array(values.slice().buffer));
      }),
    );
  });

  it("gives back every unsigned integer, from a part of a larger buffer too", () => {
    const whole = new Uint32Array([1, 0xffff_ffff, 0, 2_147_483_648, 7]);
    expect(decodeIntegers(encodeIntegers(whole))).toEqual(whole);
    expect(decodeIntegers(encodeIntegers(whole.subarray(1, 3)))).toEqual(whole.slice(1, 3));
    expect(encodeIntegers(new Uint32Array([1]))).toBe("AQAAAA==");
  });

  it.each([
    "A",
    "AB",
    "ABC",
    "A===",
    "AB=C",
    "AB==AB==",
    "A-B_",
    "ABCø",
    "AB C",
    "QUJD    ",
    "AB==",
    "====",
    "QQ==\n",
  ])("refuses %j", (text) => {
    expect(() => decodeBase64(text)).toThrow(SyntaxError);
  });

  it("refuses bytes that are no whole number of values", () => {
    expect(() => decodeFloats("AQAA")).toThrow(RangeError);
    expect(() => decodeIntegers("AQAA")).toThrow(RangeError);
  });
});
