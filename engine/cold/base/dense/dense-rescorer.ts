import { hasBit, type Bitmap } from "../../../index/bitmap.ts";
import { exactDot } from "../../../vector/dot.ts";
import type { DenseDirectory } from "./dense-directory.ts";
import { decodeRowBlock } from "./dense-rows.ts";
import type { RowHit } from "../parts.ts";

/** Scores whole rows exactly. */
export interface Rescorer {
  /** Scores the admitted rows of a block. */
  take(block: number, bytes: Uint8Array): void;
  /** Returns the best row of each of the best groups. */
  best(): readonly RowHit[];
  /** Rows at home in each list that have been scored. */
  readonly scoredByList: Uint32Array;
}

/** Returns a rescorer of one query that has seen no block. */
export function createRescorer(
  { rows, rowsPerBlock, lists, centroids }: DenseDirectory,
  query: Float32Array,
  options: {
    readonly wanted: number;
    readonly admitted: Bitmap | null;
    readonly groupOf: ((row: number) => number) | null;
  },
): Rescorer {
  const { admitted, groupOf, wanted } = options;
  const scoredByList = new Uint32Array(lists.count);
  const scored: RowHit[] = [];
  const vector = new Float32Array(centroids.dimensions);
  return {
    scoredByList,
    take(block, bytes) {
      const first = block * rowsPerBlock;
      const count = Math.min(rowsPerBlock, rows - first);
      const readRow = decodeRowBlock(bytes, { rows: count, dimensions: centroids.dimensions });
      let home = homeOf(lists.starts, first);
      for (let at = 0; at < count; at += 1) {
        const row = first + at;
        if (admitted !== null && !hasBit(admitted, row)) continue;
        while ((lists.starts[home + 1] ?? Infinity) <= row) home += 1;
        readRow(at, vector);
        scored.push({ row, score: exactDot(query, vector) });
        scoredByList[home] = (scoredByList[home] ?? 0) + 1;
      }
    },
    best() {
      const found: RowHit[] = [];
      const groups = new Set<number>();
      for (const hit of scored.toSorted((a, b) => b.score - a.score || a.row - b.row)) {
        if (found.length >= wanted) break;
        const group = groupOf === null ? hit.row : groupOf(hit.row);
        if (groups.has(group)) continue;
        groups.add(group);
        found.push(hit);
      }
      return found;
    },
  };
}

/** Returns the list at which the row is at home: the last one that starts at it or before. */
export function homeOf(starts: Uint32Array, row: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= row) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
