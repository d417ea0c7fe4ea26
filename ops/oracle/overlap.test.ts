import { describe, expect, it } from "vitest";
import { overlapOf } from "./overlap.ts";

const ranking = [
  { id: "a", score: 3 },
  { id: "b", score: 2 },
  { id: "c", score: 1 },
  { id: "d", score: 1 },
  { id: "e", score: 0.5 },
];

describe("overlapOf", () => {
  it("finds everything when the answer is the oracle's own (I6)", () => {
    expect(overlapOf(ranking, ["a", "b", "c"], 3)).toEqual({
      expected: 3,
      found: 3,
      missing: [],
      instead: [],
    });
  });

  it("lets equal scores swap at the cut (I6)", () => {
    expect(overlapOf(ranking, ["a", "b", "d"], 3).found).toBe(3);
  });

  it("does not let a lower score stand for a higher one (I6)", () => {
    expect(overlapOf(ranking, ["a", "b", "e"], 3)).toMatchObject({
      found: 2,
      missing: ["c"],
      instead: ["e"],
    });
    expect(overlapOf(ranking, ["a", "c", "d"], 3)).toMatchObject({
      found: 2,
      missing: ["b"],
      instead: ["d"],
    });
  });

  it("counts a short answer as missing (I6)", () => {
    expect(overlapOf(ranking, ["a"], 3)).toMatchObject({
      expected: 3,
      found: 1,
      missing: ["b", "c"],
      instead: [],
    });
  });
});
