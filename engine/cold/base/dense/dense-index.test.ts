import { describe, expect, it } from "vitest";
import { createBitmap, hasBit, setBit } from "../../../index/bitmap.ts";
import { unitVector } from "../../../vector/vectors.fixture.ts";
import { ColdFormatError } from "../../format-error.ts";
import { mergePieces } from "../coalesce.ts";
import { openDense } from "./dense-index.ts";
import { buildDense, gridOf, passages, type DenseBase } from "./dense.fixture.ts";
import type { RowSearchOptions } from "../parts.ts";
import { seededRandom } from "../../../seeded-random.ts";

const DIMENSIONS = 48;
const base = await buildDense(gridOf(passages(6_000, DIMENSIONS), DIMENSIONS));
const index = openDense(base.sections);

function optionsOf(
  { store }: DenseBase,
  some: Partial<RowSearchOptions & { probes: number | null }> = {},
): RowSearchOptions & { readonly probes: number | null } {
  return { wanted: 10, admitted: null, groupOf: null, read: store.read, probes: null, ...some };
}

/** A query near a row, as a question is near its answer. */
function queryNear(row: number, random: () => number): Float32Array {
  const noise = unitVector(DIMENSIONS, random);
  return base.vectorOf(row).map((value, i) => value + 0.5 * (noise[i] ?? 0));
}

function bitmapOf(rows: number, keeps: (row: number) => boolean) {
  const bitmap = createBitmap(rows);
  for (let row = 0; row < rows; row += 1) if (keeps(row)) setBit(bitmap, row);
  return bitmap;
}

/** Vectors within a few degrees of one of a few points. */
function tightClusters(count: number, dimensions: number, random: () => number): Float32Array[] {
  const middles = Array.from({ length: 12 }, () => unitVector(dimensions, random));
  return Array.from({ length: count }, (_, at) => {
    const noise = unitVector(dimensions, random);
    const moved = (middles[at % 12] ?? noise).map((value, i) => value + 0.1 * (noise[i] ?? 0));
    const length = Math.hypot(...moved);
    return moved.map((value) => value / length);
  });
}

/** The share of the best ten that is found; equal scores are as good as each other. */
async function recall(share: number | null): Promise<number> {
  const random = seededRandom(9);
  let found = 0;
  for (let query = 0; query < 40; query += 1) {
    const vector = queryNear(Math.floor(random() * 6_000), random);
    const admitted = share === null ? null : bitmapOf(6_000, () => random() < share);
    const hits = await index.search(vector, optionsOf(base, { admitted }));
    const ranked = base.ranking(vector).filter(({ row }) => admitted === null || hasBit(admitted, row));
    const mark = ranked[9]?.score ?? 0;
    found += hits.hits.filter(({ score }) => score >= mark).length;
  }
  return found / 400;
}

describe("the dense half of a base", () => {
  it("finds every row by its own vector", async () => {
    const lost: number[] = [];
    for (let row = 0; row < 6_000; row += 41) {
      const { hits } = await index.search(base.vectorOf(row), optionsOf(base));
      const best = hits[0]?.score ?? 0;
      const found = hits.find((hit) => hit.row === row);
      if (found === undefined || best > found.score + 1e-6) lost.push(row);
    }
    expect(lost).toEqual([]);
  });

  it("finds at least 0.95 of the best ten", async () => {
    expect(await recall(null)).toBeGreaterThanOrEqual(0.95);
  });

  it.each([0.3, 0.1, 0.02])("finds at least 0.95 of the best ten among a share of %f", async (share) => {
    expect(await recall(share)).toBeGreaterThanOrEqual(0.95);
  });

  it("gives each row's exact score, best first, equal ones by row", async () => {
    const random = seededRandom(2);
    for (let query = 0; query < 10; query += 1) {
      const vector = queryNear(query * 500, random);
      const scores = new Map(base.ranking(vector).map(({ row, score }) => [row, score]));
      const { hits } = await index.search(vector, optionsOf(base, { wanted: 50 }));
      expect(hits).toHaveLength(50);
      for (const { row, score } of hits) expect(score).toBe(scores.get(row));
      expect(hits).toEqual(hits.toSorted((a, b) => b.score - a.score || a.row - b.row));
    }
  });

  it("returns no row twice, however many lists have a copy of it", async () => {
    expect(base.clustering.copies.rows.length).toBeGreaterThan(1_000);
    const { hits } = await index.search(base.vectorOf(11), optionsOf(base, { wanted: 1_000, probes: 100 }));
    expect(new Set(hits.map(({ row }) => row)).size).toBe(hits.length);
  });

  it("returns admitted rows only", async () => {
    const admitted = bitmapOf(6_000, (row) => row % 5 === 2);
    const { hits } = await index.search(base.vectorOf(100), optionsOf(base, { admitted, wanted: 100 }));
    expect(hits).toHaveLength(100);
    expect(hits.filter(({ row }) => row % 5 !== 2)).toEqual([]);
  });

  it.each([1, 9, 150])(
    "finds the best of %i admitted rows without reading codes, all of them",
    async (rows) => {
      const admitted = bitmapOf(6_000, (row) => row % 40 === 3 && row < rows * 40);
      base.store.asked.length = 0;
      const query = queryNear(77, seededRandom(4));
      const answer = await index.search(query, optionsOf(base, { admitted }));
      expect(base.store.asked.filter(({ file }) => file === "codes")).toEqual([]);
      const ranked = base.ranking(query).filter(({ row }) => hasBit(admitted, row));
      expect(answer.hits.slice(0, 3)).toEqual(ranked.slice(0, Math.min(3, rows)));
    },
  );

  it("reads nothing when no row is admitted", async () => {
    base.store.asked.length = 0;
    const answer = await index.search(base.vectorOf(0), optionsOf(base, { admitted: createBitmap(6_000) }));
    expect(answer).toMatchObject({ hits: [], blocks: 0, missing: 0, exact: true });
    expect(base.store.asked).toEqual([]);
  });

  it("passes over lists at which no admitted row is at home", async () => {
    const { listStarts } = base.clustering;
    const admitted = bitmapOf(6_000, (row) => row >= (listStarts[2] ?? 0) && row < (listStarts[5] ?? 0));
    const { blocks } = await index.search(base.vectorOf(5_999), optionsOf(base, { admitted, probes: 20 }));
    expect(blocks).toBe(3);
  });

  it("counts the best row of a group alone", async () => {
    const groupOf = (row: number) => Math.floor(row / 20);
    const query = queryNear(3_000, seededRandom(3));
    const { hits } = await index.search(query, optionsOf(base, { groupOf, wanted: 30 }));
    expect(hits).toHaveLength(30);
    expect(new Set(hits.map(({ row }) => groupOf(row))).size).toBe(30);
    const ranked = base.ranking(query);
    for (const { row } of hits.slice(0, 5))
      expect(row).toBe(ranked.find((other) => groupOf(other.row) === groupOf(row))?.row);
  });

  it("returns a thousand rows when a thousand are wanted", async () => {
    const query = queryNear(4_000, seededRandom(6));
    const { hits } = await index.search(query, optionsOf(base, { wanted: 1_000 }));
    expect(hits).toHaveLength(1_000);
    const wanted = new Set(
      base
        .ranking(query)
        .slice(0, 1_000)
        .map(({ row }) => row),
    );
    expect(hits.filter(({ row }) => wanted.has(row)).length).toBeGreaterThan(800);
  });

  it("keeps to its number of reads when near pieces are read together", async () => {
    const random = seededRandom(8);
    for (let query = 0; query < 20; query += 1) {
      base.store.asked.length = 0;
      await index.search(queryNear(query * 300, random), optionsOf(base));
      const reads = mergePieces(base.store.asked);
      expect(reads.length).toBeLessThanOrEqual(12 + 14 + 2);
    }
  });

  it("refuses a query of other dimensions", async () => {
    await expect(index.search(new Float32Array(8), optionsOf(base))).rejects.toThrow(RangeError);
  });

  it("refuses sections that do not fit together", () => {
    const cut = new Map(base.sections).set("dense-lists", new Uint8Array(20));
    expect(() => openDense(cut)).toThrow(ColdFormatError);
    const none = new Map(base.sections);
    none.delete("dense-rows");
    expect(() => openDense(none)).toThrow(ColdFormatError);
  });
});

describe("a dense search that cannot read a piece", () => {
  it("counts it and finds the rest", async () => {
    const query = queryNear(2_000, seededRandom(5));
    const whole = await index.search(query, optionsOf(base, { wanted: 20 }));
    expect(whole.missing).toBe(0);
    const first = base.store.asked.length;
    await index.search(query, optionsOf(base, { wanted: 20 }));
    const lost = base.store.asked.slice(first).findLast(({ file }) => file === "rows");
    expect(lost).toBeDefined();
    base.store.lose(
      (piece) => piece.file === "rows" && piece.volume === lost?.volume && piece.offset === lost?.offset,
    );
    const rest = await index.search(query, optionsOf(base, { wanted: 20 }));
    base.store.lose(() => false);
    expect(rest.missing).toBe(1);
    expect(rest.hits.length).toBe(20);
  });

  it("counts lists that are gone", async () => {
    base.store.lose(({ file }) => file === "codes");
    const answer = await index.search(base.vectorOf(9), optionsOf(base, { probes: 4 }));
    base.store.lose(() => false);
    expect(answer).toMatchObject({ hits: [], blocks: 4, missing: 4, exact: false });
  });
});

describe("an answer said to be exact", () => {
  it("is what scoring every row gives, groups and filters included", async () => {
    const random = seededRandom(12);
    let [exact, inexact] = [0, 0];
    for (let round = 0; round < 6; round += 1) {
      const dimensions = 64;
      const count = 1_000 + Math.floor(random() * 2_500);
      // Tight clusters far from each other: what is in one says enough of what is in the others.
      const tight = await buildDense(gridOf(tightClusters(count, dimensions, random), dimensions));
      const opened = openDense(tight.sections);
      for (let query = 0; query < 30; query += 1) {
        const share = random() < 0.5 ? 1 : 0.1 + random() * 0.5;
        const admitted = share === 1 ? null : bitmapOf(count, () => random() < share);
        const groupOf = random() < 0.3 ? (row: number) => row >> 2 : null;
        const wanted = 1 + Math.floor(random() * 12);
        const noise = unitVector(dimensions, random);
        const part = random() < 0.5 ? 0.1 : 3;
        const near = tight.vectorOf(Math.floor(random() * count));
        const vector = near.map((value, i) => value + part * (noise[i] ?? 0));
        const probes = 1 + Math.floor(random() * 3);
        const answer = await opened.search(vector, optionsOf(tight, { admitted, groupOf, wanted, probes }));
        if (!answer.exact) {
          inexact += 1;
          continue;
        }
        exact += 1;
        const seen = new Set<number>();
        const ranked = tight.ranking(vector).filter(({ row }) => {
          if (admitted !== null && !hasBit(admitted, row)) return false;
          const group = groupOf === null ? row : groupOf(row);
          if (seen.has(group)) return false;
          seen.add(group);
          return true;
        });
        const scores = ranked.slice(0, wanted).map(({ score }) => score);
        expect(answer.hits.map(({ score }) => score)).toEqual(scores);
      }
    }
    expect(exact).toBeGreaterThan(30);
    expect(inexact).toBeGreaterThan(30);
  });

  it("is not said of a search that has left out rows which may be better", async () => {
    const { exact } = await index.search(queryNear(50, seededRandom(1)), optionsOf(base, { probes: 1 }));
    expect(exact).toBe(false);
  });
});

describe("a small base", () => {
  it.each([0, 1, 2, 7, 100])("of %i rows is searched exactly", async (count) => {
    const small = await buildDense(gridOf(passages(count, 8), 8));
    const query = unitVector(8, seededRandom(1));
    const answer = await openDense(small.sections).search(query, optionsOf(small));
    expect(answer.hits).toEqual(small.ranking(query).slice(0, 10));
    expect(answer.exact).toBe(true);
  });

  it("of one list in 4,096 dimensions is found", async () => {
    const small = await buildDense(gridOf(passages(40, 4_096), 4_096));
    const answer = await openDense(small.sections).search(
      small.vectorOf(20),
      optionsOf(small, { probes: 3 }),
    );
    expect(answer.hits.some(({ row }) => row === 20)).toBe(true);
  });

  it("of zero vectors alone answers", async () => {
    const small = await buildDense(gridOf([new Float32Array(8), new Float32Array(8)], 8));
    const answer = await openDense(small.sections).search(unitVector(8, seededRandom(1)), optionsOf(small));
    expect(answer.hits.map(({ score }) => score)).toEqual([0, 0]);
  });
});
