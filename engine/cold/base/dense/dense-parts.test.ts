import { describe, expect, it } from "vitest";
import { exactDot } from "../../../vector/dot.ts";
import { unitVector } from "../../../vector/vectors.fixture.ts";
import { ColdFormatError } from "../../format-error.ts";
import { mergePieces, partOf } from "../coalesce.ts";
import { bestRows } from "./dense-candidates.ts";
import { decodeDirectory } from "./dense-directory.ts";
import { admittedByList, chooseProbes } from "./dense-probes.ts";
import { createEstimator, scoreCentroids } from "./dense-estimator.ts";
import { decodeRowBlock, encodeRowBlock, rowsPerBlockFor } from "./dense-rows.ts";
import { spansOf } from "./dense-spans.ts";
import { buildDense, gridOf, passages } from "./dense.fixture.ts";
import { decodeListCodes, encodeListCodes } from "./list-codes.ts";
import type { Piece } from "../piece.ts";
import { seededRandom } from "../../../seeded-random.ts";

describe("a list of codes", () => {
  const random = seededRandom(1);
  const codes = {
    dimensions: 20,
    bits: Uint8Array.from({ length: 300_000 * 3 }, () => Math.floor(random() * 256)),
    factors: Float32Array.from({ length: 300_000 }, random),
  };
  const rows = { start: 500, end: 507, copies: Uint32Array.of(0, 1, 129, 16_600, 299_999) };
  const about = { dimensions: 20, entries: 12, start: 500, end: 507 };
  const bytes = encodeListCodes(codes, rows);

  it("is read as it was written, factors to a 65,535th of the largest", () => {
    const list = decodeListCodes(bytes, about);
    expect([...list.rows]).toEqual([500, 501, 502, 503, 504, 505, 506, ...rows.copies]);
    list.rows.forEach((row, entry) => {
      expect(list.bits.subarray(entry * 3, entry * 3 + 3)).toEqual(codes.bits.subarray(row * 3, row * 3 + 3));
      expect(Math.abs((list.factors[entry] ?? 0) - (codes.factors[row] ?? 0))).toBeLessThan(1e-5);
    });
  });

  it("is refused when it is shorter than its entries", () => {
    expect(() => decodeListCodes(bytes.subarray(0, 60), about)).toThrow(ColdFormatError);
    expect(() => decodeListCodes(bytes, { ...about, entries: 3 })).toThrow(ColdFormatError);
  });
});

describe("a block of rows", () => {
  it("gives each row's components, integer times scale in float32", () => {
    const grid = gridOf(passages(50, 20), 20);
    const bytes = encodeRowBlock(grid, Uint32Array.of(7, 3));
    const row = new Float32Array(20);
    decodeRowBlock(bytes, { rows: 2, dimensions: 20 })(1, row);
    expect([...row]).toEqual(
      [...grid.integers.subarray(3 * 32, 3 * 32 + 20)].map((integer) =>
        Math.fround(integer * (grid.scales[3] ?? 0)),
      ),
    );
    expect(() => decodeRowBlock(bytes, { rows: 3, dimensions: 20 })).toThrow(ColdFormatError);
  });

  it.each([
    [8, 256],
    [384, 32],
    [4_096, 2],
  ])("of %i dimensions has %i rows", (dimensions, rows) => {
    expect(rowsPerBlockFor(dimensions)).toBe(rows);
  });
});

describe("the estimates of one-bit codes", () => {
  it("are near the scores, without bias, better than the centroid alone", async () => {
    const base = await buildDense(gridOf(passages(3_000, 64), 64));
    const directory = decodeDirectory(base.sections);
    const { lists } = directory;
    const query = unitVector(64, seededRandom(8));
    const estimator = createEstimator(query, scoreCentroids(query, directory), directory);
    const scores = scoreCentroids(query, directory);
    let [bias, error, centroidError, count] = [0, 0, 0, 0];
    for (let list = 0; list < lists.count; list += 1) {
      const [bytes] = await base.store.read([directory.codePieces.at(list)]);
      const [start, end] = [lists.starts[list] ?? 0, lists.starts[list + 1] ?? 0];
      const entries = lists.entries[list] ?? 0;
      const codes = decodeListCodes(bytes ?? new Uint8Array(), { dimensions: 64, entries, start, end });
      const isEven = (row: number): boolean => row % 2 === 0;
      estimator.estimate(codes, isEven, (row, estimate) => {
        expect(isEven(row)).toBe(true);
        const exact = exactDot(query, base.vectorOf(row));
        const home = lists.starts.findLastIndex((from) => from <= row);
        bias += estimate - exact;
        error += (estimate - exact) ** 2;
        centroidError += ((scores[home] ?? 0) * (lists.means[home] ?? 0) - exact) ** 2;
        count += 1;
      });
    }
    expect(Math.abs(bias / count)).toBeLessThan(0.01);
    // π/2 − 1 of the variance is what a sign leaves of a Gaussian component.
    expect(error).toBeLessThan(0.65 * centroidError);
  });
});

describe("the lists that are read", async () => {
  const base = await buildDense(gridOf(passages(6_000, 16), 16));
  const directory = decodeDirectory(base.sections);
  const nearest = [5, 1, 9, 6, 3];
  const scores = Float32Array.from({ length: directory.lists.count }, (_, list) =>
    nearest.includes(list) ? 1 - nearest.indexOf(list) / 10 : -1,
  );
  const admitted = admittedByList(directory, null);
  const budget = { probesMax: 5, readsMax: 5, bytesMax: Infinity, farness: Infinity };

  it("are the nearest, nearest first", () => {
    expect(chooseProbes(directory, { scores, admitted, budget }).lists).toEqual(nearest);
  });

  it("are one read where they lie side by side", () => {
    const { lists, reads } = chooseProbes(directory, {
      scores,
      admitted,
      budget: { ...budget, probesMax: 3, readsMax: 2 },
    });
    expect(lists).toEqual([5, 1, 6]);
    expect(reads).toBe(2);
  });

  it("stay within the bytes, but for the nearest", () => {
    const { lists } = chooseProbes(directory, { scores, admitted, budget: { ...budget, bytesMax: 1 } });
    expect(lists).toEqual([5]);
  });
});

describe("the rows that are looked at", () => {
  const random = seededRandom(3);
  const count = 5_000;
  const rows = Uint32Array.from({ length: count }, (_, at) => at * 3);
  const scores = Float32Array.from({ length: count }, () => Math.round(random() * 300) / 300);
  const ranked = Array.from(rows, (row, at) => ({ row, score: scores[at] ?? 0 })).toSorted(
    (a, b) => b.score - a.score || a.row - b.row,
  );

  it.each([1, 100, 4_999, 9_000])("are the %i best by estimate, equal ones by row", (wanted) => {
    const best = bestRows({ count, rows, scores }, { wanted, groupOf: null });
    expect(best).toEqual(ranked.slice(0, wanted).map(({ row }) => row));
  });

  it("are more when several are of one group, four times as many at most", () => {
    const groups = bestRows({ count, rows, scores }, { wanted: 10, groupOf: (row) => row % 7 });
    expect(groups).toHaveLength(40);
    const some = bestRows({ count, rows, scores }, { wanted: 50, groupOf: (row) => row % 600 });
    expect(new Set(some.map((row) => row % 600)).size).toBe(50);
  });
});

describe("the spans of blocks", () => {
  const budget = { spansMax: 3, blocksMax: 20, gaps: [2] };

  it("bridge small gaps", () => {
    expect(spansOf([10, 13, 17, 30, 8], budget)).toEqual([
      { first: 8, last: 13 },
      { first: 17, last: 17 },
      { first: 30, last: 30 },
    ]);
    expect(spansOf([10, 16, 13], budget)).toEqual([{ first: 10, last: 16 }]);
  });

  it("bridge as far as brings the most blocks", () => {
    const scattered = { spansMax: 2, blocksMax: 9, gaps: [1, 4] };
    expect(spansOf([10, 13, 20, 22], scattered)).toEqual([
      { first: 10, last: 13 },
      { first: 20, last: 22 },
    ]);
    expect(spansOf([10, 12, 20, 24], { ...scattered, blocksMax: 5 })).toEqual([
      { first: 10, last: 12 },
      { first: 20, last: 20 },
    ]);
  });

  it("leave out the least wanted blocks when they are too many", () => {
    expect(spansOf([1, 100, 50, 200, 101], budget).map(({ first }) => first)).toEqual([1, 50, 100]);
    const long = Array.from({ length: 30 }, (_, block) => block);
    expect(spansOf(long, budget)).toEqual([{ first: 0, last: 19 }]);
  });
});

describe("pieces that are read together", () => {
  const piece = (volume: number, offset: number, length: number): Piece => ({
    file: "codes",
    volume,
    offset,
    length,
    checksum: 0,
  });

  it("lie near each other within one volume", () => {
    const far = 100_000;
    const pieces = [piece(0, 100, 50), piece(1, 150, 10), piece(0, 0, 90), piece(0, far, 5)];
    expect(mergePieces(pieces)).toEqual([
      { file: "codes", volume: 0, offset: 0, length: 150, parts: [2, 0] },
      { file: "codes", volume: 0, offset: far, length: 5, parts: [3] },
      { file: "codes", volume: 1, offset: 150, length: 10, parts: [1] },
    ]);
    expect(mergePieces(pieces, { readsMax: 2, gapBytesMax: far })).toHaveLength(2);
    expect(mergePieces([piece(0, 0, 10), { ...piece(0, 10, 10), file: "rows" }])).toHaveLength(2);
  });

  it("are cut where a read would become too large", () => {
    expect(mergePieces([piece(0, 0, 800_000), piece(0, 800_000, 800_000)])).toHaveLength(2);
  });

  it("are taken apart again, but for those that the read does not hold", () => {
    const pieces = [piece(0, 10, 4), piece(0, 14, 4)];
    const [read] = mergePieces(pieces);
    expect(read).toBeDefined();
    if (read === undefined) return;
    const bytes = Uint8Array.of(0, 1, 2, 3, 4, 5, 6);
    expect(partOf(read, bytes, piece(0, 10, 4))).toEqual(Uint8Array.of(0, 1, 2, 3));
    expect(partOf(read, bytes, piece(0, 14, 4))).toBe(null);
  });
});
