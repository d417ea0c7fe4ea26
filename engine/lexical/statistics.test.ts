import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { SparseVector } from "./bm25.ts";
import {
  decodeStatistics,
  encodeStatistics,
  StatisticsCounter,
  StatisticsFormatError,
} from "./statistics.ts";

const IDS = fc.uniqueArray(
  fc.oneof(fc.integer({ min: 0, max: 12 }), fc.constantFrom(0x80000000, 0xffffffff)),
  { maxLength: 8 },
);
const vector = (ids: readonly number[]): SparseVector => ({
  indices: Uint32Array.from(ids).sort(),
  values: new Float32Array(ids.length).fill(1),
});

function counterOf(passages: readonly (readonly number[])[]): StatisticsCounter {
  const counter = new StatisticsCounter();
  for (const ids of passages) counter.add(vector(ids));
  return counter;
}

const sample = (): Uint8Array => counterOf([[1, 7], [1, 7], [1, 7], [1]]).encode("184");

function faultOf(bytes: Uint8Array): StatisticsFormatError {
  try {
    decodeStatistics(bytes);
  } catch (error) {
    if (error instanceof StatisticsFormatError) return error;
    throw error;
  }
  throw new Error("expected a StatisticsFormatError");
}

describe("the statistics table", () => {
  it("gives back version, passages, the counts of terms in three passages or more", () => {
    fc.assert(
      fc.property(fc.array(IDS, { maxLength: 40 }), (passages) => {
        const table = decodeStatistics(counterOf(passages).encode("12"));
        expect(table).toMatchObject({ version: "12", passages: passages.length });
        for (let id = 0; id < 14; id += 1) {
          const count = passages.filter((ids) => ids.includes(id)).length;
          expect(table.df(id)).toBe(count >= 3 ? count : 1);
        }
      }),
    );
  });

  it("never holds a term of one or two passages, whoever encodes it: a rare term would leak a document's content", () => {
    const rare = 0xdeadbeef;
    const bytes = encodeStatistics({
      version: "1",
      passages: 9,
      ids: Uint32Array.of(5, rare),
      counts: Uint32Array.of(3, 2),
    });
    expect(Buffer.from(bytes).includes(Buffer.from(Uint32Array.of(rare).buffer))).toBe(false);
    expect(Buffer.from(bytes).includes(Buffer.from(Uint32Array.of(5).buffer))).toBe(true);
  });

  it("is the same bytes for the same passages, whatever came or went before", () => {
    const counter = counterOf([[3, 4], [1, 7], [1, 7], [9]]);
    counter.remove(vector([3, 4]));
    counter.remove(vector([9]));
    counter.add(vector([1]));
    counter.add(vector([1, 7]));
    expect(counter.encode("184")).toEqual(sample());
  });

  it("is refused when any one bit is damaged", () => {
    const bytes = sample();
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => decodeStatistics(damaged)).toThrow(StatisticsFormatError);
    }
  });

  it("is refused at any other length, even without a byte", () => {
    const bytes = sample();
    for (let length = 0; length < bytes.length; length += 1)
      expect(() => decodeStatistics(bytes.slice(0, length))).toThrow(StatisticsFormatError);
    expect(faultOf(Uint8Array.of(...bytes, 0)).reason).toBe("length");
  });

  it("says what is wrong", () => {
    const with1 = (at: number, value: number): Uint8Array =>
      sample().map((byte, i) => (i === at ? value : byte));
    expect(faultOf(new Uint8Array(3))).toMatchObject({
      reason: "too_short",
      message: "term statistics: expected at least 28 bytes, got 3",
    });
    expect(faultOf(with1(0, 0)).reason).toBe("magic");
    expect(faultOf(with1(4, 2))).toMatchObject({
      reason: "format",
      message: "term statistics: expected format 1, got 2: written by another release",
    });
    expect(faultOf(with1(8, 77)).reason).toBe("checksum");
    expect(
      faultOf(
        encodeStatistics({
          version: "1",
          passages: 9,
          ids: Uint32Array.of(5, 4),
          counts: Uint32Array.of(3, 3),
        }),
      ).reason,
    ).toBe("order");
  });

  it("is read from the middle of a buffer, at any alignment", () => {
    const bytes = sample();
    const buffer = new Uint8Array(bytes.length + 7);
    buffer.set(bytes, 3);
    expect(decodeStatistics(buffer.subarray(3, 3 + bytes.length)).df(1)).toBe(4);
  });

  it.each(["", "a b", "æ", "x".repeat(65)])("takes no version %j", (version) => {
    expect(() => new StatisticsCounter().encode(version)).toThrow("statistics version");
  });
});

describe("StatisticsCounter", () => {
  it("equals counting again after any adds, removes", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(IDS, fc.boolean()), { maxLength: 60 }), (passages) => {
        const counter = counterOf(passages.map(([ids]) => ids));
        for (const [ids, removed] of passages) if (removed) counter.remove(vector(ids));
        const kept = passages.flatMap(([ids, removed]) => (removed ? [] : [ids]));
        expect(counter.passages).toBe(kept.length);
        for (const id of [0, 1, 2, 3, 12, 0xffffffff])
          expect(counter.df(id)).toBe(kept.filter((ids) => ids.includes(id)).length);
        expect(counter.encode("1")).toEqual(counterOf(kept).encode("1"));
      }),
    );
  });

  it("counts on through growth, also when terms come that only pass by", () => {
    const counter = new StatisticsCounter();
    for (let i = 0; i < 30_000; i += 1) {
      counter.add(vector([i, 1_000_000 + (i % 500)]));
      if (i % 2 === 0) counter.remove(vector([i, 1_000_000 + (i % 500)]));
    }
    expect(counter.passages).toBe(15_000);
    expect([
      counter.df(1),
      counter.df(2),
      counter.df(29_999),
      counter.df(1_000_001),
      counter.df(1_000_002),
    ]).toEqual([1, 0, 1, 60, 0]);
  });

  it("refuses to take back what was never added, with nothing changed", () => {
    const counter = counterOf([[1, 2]]);
    expect(() => counter.remove(vector([1, 3]))).toThrow(RangeError);
    expect([counter.passages, counter.df(1), counter.df(2)]).toEqual([1, 1, 1]);
    counter.remove(vector([1, 2]));
    expect(() => counter.remove(vector([]))).toThrow(RangeError);
  });
});
