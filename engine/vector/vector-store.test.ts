import { describe, expect, it } from "vitest";
import { exactDot } from "./dot.ts";
import { toBitCode, toBitQuery, toIntegerQuery, toIntegers } from "./quantize.ts";
import { createRotation } from "./rotate.ts";
import { testScanner } from "./scanner.fixture.ts";
import { createVectorStore, lengthOf } from "./vector-store.ts";
import { clusteredVectors, unitVector } from "./vectors.fixture.ts";
import { seededRandom } from "../seeded-random.ts";

const scanner = testScanner();

describe("the rotation", () => {
  it.each([1, 3, 4, 100, 384, 1536])("keeps lengths and dot products in %i dimensions", (dimensions) => {
    const random = seededRandom(1);
    const rotate = createRotation(dimensions);
    const [a, b] = [unitVector(dimensions, random), unitVector(dimensions, random)];
    expect(exactDot(rotate(a), rotate(b))).toBeCloseTo(exactDot(a, b), 5);
    expect(lengthOf(rotate(a))).toBeCloseTo(1, 5);
  });

  it("spreads a single component over all of them", () => {
    const rotated = createRotation(384)(Float32Array.from({ length: 384 }, (_, i) => (i === 0 ? 1 : 0)));
    expect(Math.max(...rotated.map(Math.abs))).toBeLessThan(0.4);
    expect(rotated.filter((value) => Math.abs(value) > 1e-6).length).toBeGreaterThan(300);
  });

  it("is the same in every process", () => {
    const rotated = createRotation(8)(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect([...rotated].map((value) => value.toFixed(4))).toMatchInlineSnapshot(`
      [
        "-7.5000",
        "2.5000",
        "-5.5000",
        "-4.5000",
        "2.5000",
        "3.5000",
        "-0.5000",
        "-8.5000",
      ]
    `);
  });
});

describe("the quantised forms", () => {
  it("estimate dot products without bias by one-bit codes and a table of the query (RaBitQ)", () => {
    const random = seededRandom(2);
    const rotate = createRotation(384);
    let error = 0;
    let square = 0;
    const vectors = clusteredVectors(1_000, { dimensions: 384, centres: 8, random });
    for (const vector of vectors) {
      const query = unitVector(384, random);
      const { table, offset, scale } = toBitQuery(rotate(query));
      const { bits, factor } = toBitCode(rotate(vector));
      let sum = 0;
      bits.forEach((byte, i) => {
        sum += (table[i * 32 + (byte & 15)] ?? 0) + (table[i * 32 + 16 + (byte >> 4)] ?? 0);
      });
      const difference = (sum - offset) * scale * factor - exactDot(query, vector);
      error += difference;
      square += difference ** 2;
    }
    expect(Math.abs(error / vectors.length)).toBeLessThan(0.005);
    // √(π/2 − 1) / √384 = 0.0386, and a little for the four bits of the query.
    expect(Math.sqrt(square / vectors.length)).toBeLessThan(0.042);
  });

  it.each([1, 8, 100, 384, 4_096])("look up sums in %i dimensions that fit into the kernel's lanes", (n) => {
    const query = Float32Array.from({ length: n }, (_, i) => (i % 3) - 1);
    for (const rotated of [query, query.map(() => 1), new Float32Array(n)]) {
      const { table } = toBitQuery(rotated);
      let most = 0;
      for (let at = 0; at < table.length; at += 16) {
        const largest = Math.max(...table.subarray(at, at + 16));
        expect(largest).toBeLessThanOrEqual(60);
        most += largest;
      }
      expect(most).toBeLessThan(2 ** 16);
    }
  });

  it("cannot overflow 32 bits, whatever the vectors", () => {
    const ones = new Float32Array(4_096).fill(1);
    const query = toIntegerQuery(ones);
    const vector = toIntegers(ones);
    const dot = vector.integers.reduce((sum, value, i) => sum + value * (query.integers[i] ?? 0), 0);
    expect(dot).toBeLessThan(2 ** 31);
    expect(dot * query.scale * vector.scale).toBeCloseTo(4_096, -2);
  });

  it("take zero vectors", () => {
    expect(toBitCode(new Float32Array(8)).factor).toBe(0);
    expect(toIntegers(new Float32Array(8))).toMatchObject({ scale: 0, residual: 0 });
  });
});

describe("a vector store", () => {
  it.each([1, 4, 7, 384, 1000])("scores %i dimensions to the bit as exactDot does", (dimensions) => {
    const random = seededRandom(3);
    const store = createVectorStore({ scanner, dimensions, hasCodes: false });
    const query = unitVector(dimensions, random);
    const score = store.scorer(query);
    for (let i = 0; i < 50; i += 1) {
      const vector = unitVector(dimensions, random);
      expect(score(vector)).toBe(exactDot(query, vector));
    }
  });

  it.each([
    { name: "limit", limit: 10, groupSize: 1 },
    { name: "groups", limit: 30, groupSize: 20 },
  ])("returns every slot of the exact top by $name among the admitted", ({ limit, groupSize }) => {
    const random = seededRandom(4);
    const vectors = clusteredVectors(5_000, { dimensions: 96, centres: 40, random });
    const store = createVectorStore({ scanner, dimensions: 96, hasCodes: true });
    store.reserve(vectors.length);
    vectors.forEach((vector, slot) => store.write(slot, vector));
    const admitted = new Uint32Array(Math.ceil(vectors.length / 32)).fill(0x5555_5555);
    for (let q = 0; q < 20; q += 1) {
      const query = vectors[q * 91] ?? new Float32Array(96);
      const groupOf = groupSize === 1 ? null : (slot: number) => Math.floor(slot / groupSize);
      const near = new Set(store.nearest(query, { limit, admitted, groupOf, coarse: null }));
      const exact = vectors
        .map((vector, slot) => ({ slot, score: exactDot(query, vector) }))
        .filter(({ slot }) => slot % 2 === 0)
        .toSorted((left, right) => right.score - left.score);
      const groups = new Set<number>();
      for (const { slot } of exact) {
        const group = groupOf?.(slot) ?? slot;
        if (groups.has(group)) continue;
        groups.add(group);
        expect(near.has(slot)).toBe(true);
        if (groups.size === limit) break;
      }
      expect([...near].every((slot) => slot % 2 === 0)).toBe(true);
    }
  });

  it.each([
    { dimensions: 384, least: 0.99 },
    { dimensions: 100, least: 0.99 },
    { dimensions: 17, least: 0.95 },
  ])("keeps the best of the admitted slots when it looks at one-bit codes first, $dimensions", (given) => {
    const { dimensions, least } = given;
    const random = seededRandom(8);
    const vectors = clusteredVectors(6_000, { dimensions, centres: 60, random });
    const store = createVectorStore({ scanner, dimensions, hasCodes: true });
    store.reserve(vectors.length);
    // Written twice: what stood in a slot before must leave nothing behind.
    vectors.forEach((_, slot) => store.write(slot, vectors[vectors.length - 1 - slot] ?? new Float32Array()));
    vectors.forEach((vector, slot) => store.write(slot, vector));
    const admitted = new Uint32Array(Math.ceil(vectors.length / 32)).fill(0x5555_5555);
    let kept = 0;
    let looked = 0;
    const queries = clusteredVectors(40, { dimensions, centres: 60, random: seededRandom(8) });
    for (const query of queries) {
      const near = store.nearest(query, { limit: 10, admitted, groupOf: null, coarse: 600 });
      expect(near.every((slot) => slot % 2 === 0)).toBe(true);
      looked += near.length;
      const exact = vectors
        .map((vector, slot) => ({ slot, score: exactDot(query, vector) }))
        .filter(({ slot }) => slot % 2 === 0)
        .toSorted((left, right) => right.score - left.score);
      kept += exact.slice(0, 10).filter(({ slot }) => near.includes(slot)).length;
    }
    expect(kept / (queries.length * 10)).toBeGreaterThanOrEqual(least);
    // The int8 scores then leave few: floats are read one by one.
    expect(looked / queries.length).toBeLessThan(60);
  });

  it("refuses numbers that are not finite", () => {
    const store = createVectorStore({ scanner, dimensions: 2, hasCodes: true });
    store.reserve(1);
    expect(() => store.write(0, Float32Array.of(Number.NaN, 1))).toThrow("finite");
    expect(() => store.write(0, Float32Array.of(Infinity, 1))).toThrow("finite");
  });
});
