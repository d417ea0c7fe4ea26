import { describe, expect, it } from "vitest";
import { testScanner } from "../../../vector/scanner.fixture.ts";
import { assignHere, assignRows, COPIES_MAX, NO_LIST } from "./cluster-assignment.ts";
import { branchesOf } from "./cluster-branches.ts";
import { clusterPassages } from "./cluster.ts";
import { gridOf, passages } from "./dense.fixture.ts";
import { pickGridVectors } from "./dense-vectors.ts";

const DIMENSIONS = 32;
const ROWS = 16_000;
const scanner = testScanner();
const vectors = gridOf(passages(ROWS, DIMENSIONS), DIMENSIONS);
const assign = assignHere(vectors, scanner);
/** Of some 42 lists a row is compared with half. */
const branching = { listsAtOnceMax: 20, branchLists: 4, nearLists: 20 };
const clustering = await clusterPassages(vectors, { seed: 3, scanner, assign, branching });
const rows = Uint32Array.from({ length: ROWS }, (_, row) => row);
const { centroids } = clustering;
const among = { centroids, rows, listsMax: COPIES_MAX };
const withAll = assignRows(vectors, scanner, { ...among, branches: null });

function listsOf(assigned: Uint16Array, row: number): number[] {
  return [...assigned.subarray(row * COPIES_MAX, (row + 1) * COPIES_MAX)].filter((list) => list !== NO_LIST);
}

describe("lists beyond those that are compared at once", () => {
  it("hold every passage once at home", () => {
    expect(clustering.order.toSorted()).toEqual(rows);
    expect(clustering.listStarts.at(-1)).toBe(ROWS);
    expect(Math.abs(centroids.count - ROWS / 380)).toBeLessThan(8);
  });

  it("are nearly always the nearest of their passages", () => {
    let nearest = 0;
    for (let list = 0; list < centroids.count; list += 1)
      for (let row = clustering.listStarts[list] ?? 0; row < (clustering.listStarts[list + 1] ?? 0); row += 1)
        if (withAll[(clustering.order[row] ?? 0) * COPIES_MAX] === list) nearest += 1;
    expect(nearest / ROWS).toBeGreaterThan(0.95);
  });

  it("are the same for the same seed, in however many threads rows are assigned", async () => {
    const again = await clusterPassages(vectors, {
      seed: 3,
      scanner,
      branching,
      assign: async (task) => {
        await new Promise<void>((resolve) => {
          setTimeout(resolve, task.rows.length % 7);
        });
        return assignRows(vectors, scanner, task);
      },
    });
    expect(again).toEqual(clustering);
  });
});

describe("an assignment by branches", () => {
  it("is that of comparing all lists when all branches are near", async () => {
    const picked = pickGridVectors(
      centroids,
      Uint32Array.from({ length: 6 }, (_, at) => at * 6),
    );
    const branches = await branchesOf(picked, centroids, {
      assign: assignHere(centroids, scanner),
      nearLists: centroids.count,
    });
    const byBranch = assignRows(vectors, scanner, { ...among, branches });
    for (const row of rows) {
      expect(listsOf(byBranch, row).toSorted()).toEqual(listsOf(withAll, row).toSorted());
      // Its home: a copy in the place of another copy changes no score.
      expect(listsOf(byBranch, row)[0]).toBe(listsOf(withAll, row)[0]);
    }
  });
});
