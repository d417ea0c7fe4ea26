import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../seeded-random.ts";
import { testScanner } from "../../../vector/scanner.fixture.ts";
import { unitVector } from "../../../vector/vectors.fixture.ts";
import { bestScores } from "./best-scores.ts";
import { gridOf, passages } from "./dense.fixture.ts";
import { readGridVector } from "./dense-vectors.ts";

const DIMENSIONS = 40;
/** More than the kernel holds at once, twins among them. */
const ROWS = 9_000;
const TOP = 10;
const vectors = gridOf(passages(ROWS, DIMENSIONS), DIMENSIONS);
const random = seededRandom(6);
const queries = Array.from({ length: 5 }, () => unitVector(DIMENSIONS, random));
/** A tenth of the rows count at level 1, seven of them at level 2 as well. */
const levels = Uint8Array.from({ length: ROWS }, (_, row) =>
  row % 1_300 === 0 ? 2 : row % 10 === 0 ? 1 : 0,
);

function bestOf(query: Float32Array, level: number): number[] {
  const row = new Float32Array(DIMENSIONS);
  const scores: number[] = [];
  for (let number = 0; number < ROWS; number += 1) {
    if ((levels[number] ?? 0) < level) continue;
    readGridVector(vectors, number, row);
    scores.push(row.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0));
  }
  return scores.toSorted((a, b) => b - a).slice(0, TOP);
}

describe("the best scores", () => {
  const found = bestScores(vectors, testScanner(), { queries, levels, levelCount: 3, top: TOP });

  it.each([0, 1, 2])("are those of scoring every row of level %i or above", (level) => {
    for (const [at, query] of queries.entries()) {
      const expected = bestOf(query, level);
      const scores = found[at]?.[level] ?? [];
      expect(scores).toHaveLength(expected.length);
      for (const [rank, score] of scores.entries()) expect(score).toBeCloseTo(expected[rank] ?? 0, 5);
    }
  });

  it("are fewer where fewer rows count", () => {
    expect(found[0]?.map(({ length }) => length)).toEqual([10, 10, 7]);
  });
});
