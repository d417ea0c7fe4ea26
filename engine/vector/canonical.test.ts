import { describe, expect, it } from "vitest";
import { toCanonical } from "./canonical.ts";
import { exactDot } from "./dot.ts";
import { toIntegers } from "./quantize.ts";
import { unitVector } from "./vectors.fixture.ts";
import { lengthOf } from "./vector-store.ts";
import { seededRandom } from "../seeded-random.ts";

describe("a canonical vector", () => {
  it.each([8, 100, 384, 1_536])("of %i dimensions is carried whole by its integers (I6)", (dimensions) => {
    const random = seededRandom(dimensions);
    for (let round = 0; round < 50; round += 1) {
      const canonical = toCanonical(unitVector(dimensions, random));
      const { integers, scale, residual } = toIntegers(canonical);
      expect(residual).toBeLessThan(1e-6);
      const restored = Float32Array.from(canonical, (_, at) => (integers[at] ?? 0) * scale);
      const query = unitVector(dimensions, random);
      expect(exactDot(query, restored)).toBeCloseTo(exactDot(query, canonical), 6);
    }
  });

  it("is of unit length, near the vector that it stands for", () => {
    const random = seededRandom(7);
    const vector = unitVector(384, random);
    const canonical = toCanonical(vector);
    expect(lengthOf(canonical)).toBeCloseTo(1, 6);
    expect(exactDot(vector, canonical)).toBeGreaterThan(0.9999);
  });

  it("stays as it is when it is rounded again", () => {
    const canonical = toCanonical(unitVector(384, seededRandom(8)));
    expect(toCanonical(canonical)).toEqual(canonical);
  });

  it("of no direction is zero", () => {
    expect(toCanonical(new Float32Array(8))).toEqual(new Float32Array(8));
  });
});
