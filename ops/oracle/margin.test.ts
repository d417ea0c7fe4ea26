import { describe, expect, it } from "vitest";
import { marginOf } from "./margin.ts";

const list = (...scores: readonly (readonly [string, number])[]) =>
  scores.map(([id, score]) => ({ id, score }));

describe("the margin of a miss", () => {
  it("is the difference of the scores in a single list (I6)", () => {
    const lists = [list(["a", 0.9], ["b", 0.5], ["c", 0.4], ["d", 0.1])];
    expect(marginOf({ missing: "b", instead: ["c"] }, { lists, depth: 10 })).toBeCloseTo(0.1, 6);
  });

  it("takes the nearest of what the answer held instead (I6)", () => {
    const lists = [list(["a", 0.9], ["b", 0.5], ["c", 0.4], ["d", 0.1])];
    expect(marginOf({ missing: "b", instead: ["d", "c"] }, { lists, depth: 10 })).toBeCloseTo(0.1, 6);
  });

  it("is a difference of scores, not of ranks, in a fused ranking (I6)", () => {
    const near = [list(["a", 0.9], ["b", 0.5], ["c", 0.2]), list(["a", 9], ["b", 7], ["c", 6.999])];
    expect(marginOf({ missing: "b", instead: ["c"] }, { lists: near, depth: 10 })).toBeCloseTo(0.001, 6);
    const far = [list(["a", 0.9], ["b", 0.5], ["c", 0.2]), list(["a", 9], ["b", 7], ["c", 5])];
    expect(marginOf({ missing: "b", instead: ["c"] }, { lists: far, depth: 10 })).toBeCloseTo(2, 6);
  });

  it("counts a list by its weight: the dense one alone does not turn the ranking round (I6)", () => {
    const lists = [list(["a", 0.9], ["b", 0.5], ["c", 0.499]), list(["a", 9], ["b", 7], ["c", 5])];
    expect(marginOf({ missing: "b", instead: ["c"] }, { lists, depth: 10 })).toBeCloseTo(2, 6);
  });

  it("knows that a place behind the depth is none (I6)", () => {
    const lists = [list(["a", 0.9], ["b", 0.5], ["c", 0.3])];
    expect(marginOf({ missing: "b", instead: ["c"] }, { lists, depth: 2 })).toBeCloseTo(0.2, 6);
  });

  it("is infinite when nothing stands in the place of the miss (I6)", () => {
    const lists = [list(["a", 0.9], ["b", 0.5])];
    expect(marginOf({ missing: "b", instead: [] }, { lists, depth: 10 })).toBe(Infinity);
    expect(marginOf({ missing: "b", instead: ["z"] }, { lists: [list(["b", 1])], depth: 10 })).toBe(Infinity);
  });
});
