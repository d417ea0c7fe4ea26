import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { lengthFactorOf, passageVector, termWeightOf } from "../../../lexical/bm25.ts";
import { lengthOf, RAW_LENGTH } from "./posting-lengths.ts";

const tokensOf = (counts: readonly number[]) =>
  counts.flatMap((count, term) =>
    Array.from({ length: count }, () => ({ term: `term${term}`, start: 0, end: 1 })),
  );

function givenBack(values: Float32Array): Float32Array | null {
  const frequencies = new Uint16Array(values.length);
  const length = lengthOf(values, frequencies);
  if (length === RAW_LENGTH) return null;
  return Float32Array.from(frequencies, (tf) => termWeightOf(tf, lengthFactorOf(length)));
}

describe("lengthOf", () => {
  it("finds lengths that give every passage's values back bit for bit", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 60 }), (counts) => {
        const { values } = passageVector(tokensOf([...counts, 1]));
        expect(givenBack(values)).toEqual(values);
      }),
      { seed: 1 },
    );
  });

  it.each([1, 2, 80, 1_000, 65_534])("knows a passage of %i terms", (terms) => {
    const { values } = passageVector(tokensOf(Array.from({ length: terms }, () => 1)));
    expect(lengthOf(values, new Uint16Array(terms))).toBe(terms);
  });

  it("keeps values that follow from no length: longer passages, vectors given by others", () => {
    const long = passageVector(tokensOf([...Array.from({ length: 300 }, () => 250), 1])).values;
    expect(givenBack(long)).toBeNull();
    for (const values of [[0], [-1], [5], [1, 2.5], [0.123_456, 1.7], [Number.NaN], [2.2]])
      expect(givenBack(Float32Array.from(values))).toBeNull();
  });
});
