import { describe, expect, it } from "vitest";
import { testScanner } from "../../../vector/scanner.fixture.ts";
import { exactDot } from "../../../vector/dot.ts";
import { assignHere, assignRows, COPIES_MAX, NO_LIST } from "./cluster-assignment.ts";
import { trainCentroids } from "./cluster-means.ts";
import { likenessOf } from "./cluster-order.ts";
import { clusterPassages } from "./cluster.ts";
import { gridOf, passages } from "./dense.fixture.ts";
import { readGridVector, type GridVectors } from "./dense-vectors.ts";
import { seededRandom } from "../../../seeded-random.ts";

const scanner = testScanner();
const DIMENSIONS = 32;
const vectors = gridOf(passages(5_000, DIMENSIONS), DIMENSIONS);
const assign = assignHere(vectors, scanner);
const clustering = await clusterPassages(vectors, { seed: 3, scanner, assign });

function vectorAt(from: GridVectors, at: number): Float32Array {
  const vector = new Float32Array(from.dimensions);
  readGridVector(from, at, vector);
  return vector;
}

function numbersBelow(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, at) => at);
}

describe("the lists of passages", () => {
  it("hold every passage once at home", () => {
    expect(clustering.order.toSorted()).toEqual(numbersBelow(5_000));
    expect(clustering.listStarts[0]).toBe(0);
    expect(clustering.listStarts.at(-1)).toBe(5_000);
    expect(clustering.listStarts.toSorted()).toEqual(clustering.listStarts);
  });

  it("are each the nearest one of their passages", () => {
    const { order, listStarts, centroids } = clustering;
    const all = Array.from({ length: centroids.count }, (_, list) => vectorAt(centroids, list));
    for (let list = 0; list < centroids.count; list += 1) {
      for (let row = listStarts[list] ?? 0; row < (listStarts[list + 1] ?? 0); row += 9) {
        const vector = vectorAt(vectors, order[row] ?? 0);
        const best = Math.max(...all.map((centroid) => exactDot(vector, centroid)));
        expect(exactDot(vector, vectorAt(centroids, list))).toBeCloseTo(best, 5);
      }
    }
  });

  it("have centroids of unit length", () => {
    for (let list = 0; list < clustering.centroids.count; list += 1) {
      const centroid = vectorAt(clustering.centroids, list);
      expect(exactDot(centroid, centroid)).toBeCloseTo(1, 6);
    }
  });

  it("have copies of rows from elsewhere, ascending, each at most seven times", () => {
    const { copies, listStarts, centroids } = clustering;
    const times = new Uint32Array(5_000);
    for (let list = 0; list < centroids.count; list += 1) {
      const rows = copies.rows.subarray(copies.starts[list], copies.starts[list + 1]);
      expect(rows.toSorted()).toEqual(rows);
      expect(new Set(rows).size).toBe(rows.length);
      for (const row of rows) {
        expect(row >= (listStarts[list] ?? 0) && row < (listStarts[list + 1] ?? 0)).toBe(false);
        times[row] = (times[row] ?? 0) + 1;
      }
    }
    expect(Math.max(...times)).toBeLessThanOrEqual(COPIES_MAX - 1);
    expect(copies.rows.length).toBeGreaterThan(500);
  });

  it("are the same for the same seed, in however many threads rows are assigned", async () => {
    const again = await clusterPassages(vectors, {
      seed: 3,
      scanner,
      assign: async (task) => {
        // As threads do, later tasks may be done first.
        await new Promise<void>((resolve) => {
          setTimeout(resolve, task.rows.length % 7);
        });
        return assignRows(vectors, scanner, task);
      },
    });
    expect(again).toEqual(clustering);
  });

  it("are others for another seed", async () => {
    const other = await clusterPassages(vectors, { seed: 4, scanner, assign });
    expect(other.order).not.toEqual(clustering.order);
  });

  it("lie near each other when they are near", () => {
    const { centroids } = clustering;
    const between = (a: number, b: number) => exactDot(vectorAt(centroids, a), vectorAt(centroids, b));
    let adjacent = 0;
    let any = 0;
    for (let list = 1; list < centroids.count; list += 1) {
      adjacent += between(list, list - 1);
      any += between(list, (list * 7) % centroids.count);
    }
    expect(adjacent).toBeGreaterThan(any);
  });

  it("put twins next to each other", () => {
    const places = new Map<string, number[]>();
    clustering.order.forEach((input, row) => {
      const key = vectorAt(vectors, input).join();
      places.set(key, [...(places.get(key) ?? []), row]);
    });
    const twins = [...places.values()].filter(({ length }) => length === 2);
    expect(twins.length).toBeGreaterThan(400);
    const apart = twins.filter(([a, b]) => (b ?? 0) - (a ?? 0) > 1);
    expect(apart.length / twins.length).toBeLessThan(0.1);
  });

  it("tell how far they are", async () => {
    const shares: number[] = [];
    await clusterPassages(vectors, { seed: 3, scanner, assign, progressed: (share) => shares.push(share) });
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
  });

  it.each([0, 1, 3])("of %i passages are at most one", async (count) => {
    const few = gridOf(passages(count, 8), 8);
    const { centroids, order, listStarts } = await clusterPassages(few, {
      seed: 1,
      scanner,
      assign: assignHere(few, scanner),
    });
    expect(centroids.count).toBe(count === 0 ? 0 : 1);
    expect([...order].toSorted()).toEqual([...numbersBelow(count)]);
    expect(listStarts.at(-1)).toBe(count);
  });
});

describe("the assignment of a row", () => {
  it("starts with the nearest list, has no list twice", () => {
    const rows = numbersBelow(300);
    const lists = assignRows(vectors, scanner, {
      centroids: clustering.centroids,
      branches: null,
      rows,
      listsMax: COPIES_MAX,
    });
    const nearest = assignRows(vectors, scanner, {
      centroids: clustering.centroids,
      branches: null,
      rows,
      listsMax: 1,
    });
    for (const row of rows) {
      const found = [...lists.subarray(row * COPIES_MAX, (row + 1) * COPIES_MAX)].filter(
        (list) => list !== NO_LIST,
      );
      expect(found[0]).toBe(nearest[row]);
      expect(new Set(found).size).toBe(found.length);
    }
  });

  it("takes no list that is nearer to a taken one than to the row", () => {
    const { centroids } = clustering;
    const rows = numbersBelow(300);
    const lists = assignRows(vectors, scanner, { centroids, branches: null, rows, listsMax: COPIES_MAX });
    for (const row of rows) {
      const found = [...lists.subarray(row * COPIES_MAX, (row + 1) * COPIES_MAX)].filter(
        (list) => list !== NO_LIST,
      );
      found.forEach((list, at) => {
        const toRow = exactDot(vectorAt(vectors, row), vectorAt(centroids, list));
        for (const taken of found.slice(0, at))
          expect(exactDot(vectorAt(centroids, taken), vectorAt(centroids, list))).toBeLessThanOrEqual(
            toRow + 1e-3,
          );
      });
    }
  });
});

describe("the means", () => {
  it("get more lists where passages crowd", async () => {
    const spread = passages(300, DIMENSIONS);
    const middle = spread[0] ?? new Float32Array(DIMENSIONS);
    const crowd = passages(2_700, DIMENSIONS, 2).map((vector) => {
      const moved = vector.map((value, i) => value * 0.5 + (middle[i] ?? 0));
      const length = Math.hypot(...moved);
      return moved.map((value) => value / length);
    });
    const crowded = gridOf([...spread, ...crowd], DIMENSIONS);
    const sample = numbersBelow(3_000);
    const here = assignHere(crowded, scanner);
    const later = seededRandom(1);
    let calls = 0;
    // The first centroids are the first rows, of which hardly one is in the crowd.
    const random = () => {
      calls += 1;
      return calls <= 12 ? 0 : later();
    };
    const centroids = await trainCentroids(crowded, sample, {
      lists: 12,
      listsMax: 24,
      random,
      assign: here,
    });
    const homes = await here({ centroids, branches: null, rows: sample, listsMax: 1 });
    const counts = new Uint32Array(centroids.count);
    for (const list of homes) counts[list] = (counts[list] ?? 0) + 1;
    expect(Math.max(...counts)).toBeLessThan(3_000 / 4);
    expect(centroids.count).toBeLessThanOrEqual(24);
  });
});

describe("the order by likeness", () => {
  it("keeps neighbours alike", () => {
    const numbers = numbersBelow(1_000);
    likenessOf(vectors, scanner)(numbers);
    expect(numbers.toSorted()).toEqual(numbersBelow(1_000));
    let ordered = 0;
    let unordered = 0;
    for (let at = 1; at < 1_000; at += 1) {
      ordered += exactDot(vectorAt(vectors, numbers[at] ?? 0), vectorAt(vectors, numbers[at - 1] ?? 0));
      unordered += exactDot(vectorAt(vectors, at), vectorAt(vectors, at - 1));
    }
    expect(ordered).toBeGreaterThan(unordered + 300);
  });
});
