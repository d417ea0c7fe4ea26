import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  changesBehind,
  compareFences,
  compareSequences,
  FENCE_ZERO,
  fenceSchema,
  laterSequence,
  sequenceSchema,
} from "./sequence.ts";

const sequence = fc.bigInt({ min: 0n, max: 9_223_372_036_854_775_807n });
const fence = fc.record({ epoch: fc.nat(5), sequence: fc.nat(50).map(String) });

describe("a sequence", () => {
  it("is ordered as the number that it writes, past 2^53 too (I1)", () => {
    fc.assert(
      fc.property(sequence, sequence, (a, b) => {
        expect(Math.sign(compareSequences(String(a), String(b)))).toBe(a < b ? -1 : a > b ? 1 : 0);
        expect(laterSequence(String(a), String(b))).toBe(String(a > b ? a : b));
      }),
    );
    expect(compareSequences("9007199254740992", "9007199254740993")).toBeLessThan(0);
  });

  it.each(["0", "1", "204", "9223372036854775807"])("takes %s", (text) => {
    expect(sequenceSchema.safeParse(text).success).toBe(true);
  });

  it.each(["", "-1", "01", "+1", "1.0", "1e3", " 1", "1\n", "0x1", "١", "99999999999999999999"])(
    "refuses %j",
    (text) => {
      expect(sequenceSchema.safeParse(text).success).toBe(false);
    },
  );

  it("is never fewer than no changes behind", () => {
    fc.assert(
      fc.property(sequence, sequence, (head, watermark) => {
        expect(changesBehind(String(head), String(watermark))).toBe(
          head > watermark ? Number(head - watermark) : 0,
        );
      }),
    );
  });
});

describe("a fence", () => {
  it("lets a later reign win over any sequence (I2)", () => {
    expect(compareFences({ epoch: 2, sequence: "1" }, { epoch: 1, sequence: "9000" })).toBeGreaterThan(0);
    expect(compareFences({ epoch: 2, sequence: "1" }, { epoch: 2, sequence: "9000" })).toBeLessThan(0);
    expect(compareFences(FENCE_ZERO, { epoch: 0, sequence: "0" })).toBe(0);
  });

  it("is a total order (I2)", () => {
    fc.assert(
      fc.property(fence, fence, fence, (a, b, c) => {
        expect(Math.sign(compareFences(a, b))).toBe(-Math.sign(compareFences(b, a)) + 0);
        if (compareFences(a, b) <= 0 && compareFences(b, c) <= 0)
          expect(compareFences(a, c)).toBeLessThanOrEqual(0);
        if (compareFences(a, b) === 0) expect(a).toEqual(b);
      }),
    );
  });

  it("is refused without an epoch, or with more than it has", () => {
    expect(fenceSchema.safeParse({ sequence: "1" }).success).toBe(false);
    expect(fenceSchema.safeParse({ epoch: -1, sequence: "1" }).success).toBe(false);
    expect(fenceSchema.safeParse({ epoch: 1, sequence: "1", digest: "x" }).success).toBe(false);
  });
});
