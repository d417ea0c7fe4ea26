import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TIER_ORDER, decayedHits, nextTier, predictedUse, tierBelow, tierOf, tierScore } from "./classify.ts";

const NOW = Date.parse("2026-11-23T00:00:00Z");
const YEAR_MS = 365.25 * 86_400_000;
const unit = fc.double({ min: 0, max: 1, noNaN: true });

describe("the tier of a document", () => {
  it.each([
    [0.91, 0.81, "ultra-hot"],
    [0.9, 1, "hot"],
    [0.91, 0.8, "hot"],
    [0.71, 0, "hot"],
    [0.7, 0.51, "warm"],
    [0.7, 0.5, "cold"],
    [0, 0, "cold"],
  ] as const)("with importance %f and use %f is %s", (importance, use, tier) => {
    expect(tierOf({ importance, use })).toBe(tier);
  });

  it("never gets colder with more importance or more use", () => {
    fc.assert(
      fc.property(unit, unit, unit, unit, (a, b, c, d) => {
        const low = tierOf({ importance: Math.min(a, b), use: Math.min(c, d) });
        const high = tierOf({ importance: Math.max(a, b), use: Math.max(c, d) });
        expect(TIER_ORDER.indexOf(high)).toBeLessThanOrEqual(TIER_ORDER.indexOf(low));
      }),
    );
  });

  it("stays while its use is within the margin of the threshold it would cross", () => {
    expect(nextTier("cold", { importance: 0.5, use: 0.53 })).toBe("cold");
    expect(nextTier("cold", { importance: 0.5, use: 0.56 })).toBe("warm");
    expect(nextTier("warm", { importance: 0.5, use: 0.48 })).toBe("warm");
    expect(nextTier("warm", { importance: 0.5, use: 0.44 })).toBe("cold");
  });

  it("has come to rest after one move, whatever the values", () => {
    fc.assert(
      fc.property(fc.constantFrom(...TIER_ORDER), unit, unit, (current, importance, use) => {
        const moved = nextTier(current, { importance, use });
        expect(nextTier(moved, { importance, use })).toBe(moved);
      }),
    );
  });

  it("has a tier below it, but for the coldest", () => {
    expect(TIER_ORDER.map(tierBelow)).toEqual(["hot", "warm", "cold", null]);
  });
});

describe("predicted use", () => {
  const document = { importance: 0.5, publishedAtMs: NOW, observed: null };

  it("is half recency, half importance before anyone has used the document", () => {
    expect(predictedUse(document, NOW)).toBe(0.75);
    expect(predictedUse({ ...document, publishedAtMs: NOW - 10 * YEAR_MS }, NOW)).toBeCloseTo(0.5, 10);
    expect(predictedUse({ ...document, publishedAtMs: null }, NOW)).toBe(0.75);
    expect(predictedUse({ ...document, publishedAtMs: NOW + YEAR_MS }, NOW)).toBe(0.75);
  });

  it("rises with hits, is halfway to certainty at twenty, never leaves 0 to 1", () => {
    expect(predictedUse({ ...document, observed: { hits: 20, atMs: NOW } }, NOW)).toBeCloseTo(0.875, 10);
    fc.assert(
      fc.property(
        unit,
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 0, max: 1e13 }),
        (importance, hits, ageMs) => {
          const use = predictedUse(
            { importance, publishedAtMs: NOW - ageMs, observed: { hits, atMs: NOW } },
            NOW,
          );
          expect(use).toBeGreaterThanOrEqual(
            predictedUse({ importance, publishedAtMs: NOW - ageMs, observed: null }, NOW),
          );
          expect(use).toBeLessThanOrEqual(1);
        },
      ),
    );
  });

  it("forgets half of the hits in thirty days", () => {
    expect(decayedHits({ hits: 8, atMs: NOW }, NOW + 30 * 86_400_000)).toBeCloseTo(4, 10);
    expect(decayedHits({ hits: 8, atMs: NOW }, NOW - 5)).toBe(8);
  });
});

it("weighs importance above use when a tier is full", () => {
  expect(tierScore({ importance: 1, use: 0 })).toBe(0.6);
  expect(tierScore({ importance: 0, use: 1 })).toBe(0.4);
});
