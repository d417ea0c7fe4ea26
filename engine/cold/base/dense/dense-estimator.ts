import { createRotation } from "../../../vector/rotate.ts";
import { integerBytes } from "../../../vector/quantize.ts";
import type { DenseDirectory } from "./dense-directory.ts";
import { codeBytes, type ListCodes } from "./list-codes.ts";

/** Values of a byte: a table has one cell for each. */
const BYTE_VALUES = 256;

/** Returns the dot products of the query with all centroids. */
export function scoreCentroids(query: Float32Array, { centroids }: DenseDirectory): Float32Array {
  const { integers, scales, dimensions, count } = centroids;
  const width = integerBytes(dimensions);
  const scores = new Float32Array(count);
  for (let list = 0; list < count; list += 1) {
    let a = 0;
    let b = 0;
    let c = 0;
    let d = 0;
    const from = list * width;
    // Rows of integers are padded with zeros to a multiple of 16.
    for (let i = 0; i < dimensions; i += 4) {
      a += (query[i] ?? 0) * (integers[from + i] ?? 0);
      b += (query[i + 1] ?? 0) * (integers[from + i + 1] ?? 0);
      c += (query[i + 2] ?? 0) * (integers[from + i + 2] ?? 0);
      d += (query[i + 3] ?? 0) * (integers[from + i + 3] ?? 0);
    }
    scores[list] = (a + b + c + d) * (scales[list] ?? 0);
  }
  return scores;
}

/** Estimates scores of one query from the one-bit codes of lists. */
export interface Estimator {
  /** Estimates each entry whose row is wanted: under a filter nearly none is, and most rows have copies. */
  estimate(
    codes: ListCodes,
    isWanted: (row: number) => boolean,
    found: (row: number, score: number) => void,
  ): void;
}

/** Returns the estimator of a query whose products with the centroids are known; see `codesOf` in dense-encoder.ts. */
export function createEstimator(
  query: Float32Array,
  centroidScores: Float32Array,
  directory: DenseDirectory,
): Estimator {
  const { lists, centroids } = directory;
  const width = codeBytes(centroids.dimensions);
  const tables = tablesOf(createRotation(centroids.dimensions)(query), width);
  const bases = centroidScores.map((score, list) => score * (lists.means[list] ?? 0));
  return {
    estimate({ rows, factors, bits }, isWanted, found) {
      let home = 0;
      let before = Infinity;
      for (let entry = 0; entry < rows.length; entry += 1) {
        const row = rows[entry] ?? 0;
        if (!isWanted(row)) continue;
        // Rows ascend twice, at home, then as copies: the home list is found by walking, not by searching.
        if (row < before) home = 0;
        before = row;
        while ((lists.starts[home + 1] ?? Infinity) <= row) home += 1;
        const from = entry * width;
        let sum = 0;
        for (let at = 0; at < width; at += 1) sum += tables[at * BYTE_VALUES + (bits[from + at] ?? 0)] ?? 0;
        found(row, (bases[home] ?? 0) + (factors[entry] ?? 0) * sum);
      }
    },
  };
}

/** For each byte of a code and each value of it, the sum of eight components, each added or taken away by its bit. */
function tablesOf(rotated: Float32Array, width: number): Float32Array {
  const tables = new Float32Array(width * BYTE_VALUES);
  for (let at = 0; at < width; at += 1) {
    const from = at * BYTE_VALUES;
    let lowest = 0;
    for (let bit = 0; bit < 8; bit += 1) lowest -= rotated[at * 8 + bit] ?? 0;
    tables[from] = lowest;
    for (let value = 1; value < BYTE_VALUES; value += 1) {
      const bit = 31 - Math.clz32(value & -value);
      tables[from + value] = (tables[from + (value & (value - 1))] ?? 0) + 2 * (rotated[at * 8 + bit] ?? 0);
    }
  }
  return tables;
}
