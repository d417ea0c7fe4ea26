/** Rounded vectors in memory, read as a file of vectors is. */
import { readGridVector, type GridVectors } from "@kattegat/engine/cold/base/dense/dense-vectors.ts";
import type { VectorBlock, VectorFile } from "./vector-block.ts";

export function gridFile(vectors: GridVectors): VectorFile {
  const { count, dimensions } = vectors;
  return {
    path: "memory",
    dimensions,
    count,
    async *blocks(rowsMax): AsyncGenerator<VectorBlock> {
      for (let firstRow = 0; firstRow < count; firstRow += rowsMax) {
        const rows = Math.min(rowsMax, count - firstRow);
        const block = new Float32Array(rows * dimensions);
        for (let row = 0; row < rows; row += 1)
          readGridVector(vectors, firstRow + row, block.subarray(row * dimensions, (row + 1) * dimensions));
        yield await Promise.resolve({ firstRow, rows, vectors: block, ids: null });
      }
    },
  };
}
