/** The TEXMEX collections' format: each row is its number of dimensions as int32, then so many float32. */
import { open } from "node:fs/promises";
import { readFully } from "./npy.ts";
import { checkedDimensions, VectorFileError, type VectorBlock, type VectorFile } from "./vector-block.ts";

// http://corpus-texmex.irisa.fr/ describes the format ("Vector file formats").
const WORD_BYTES = 4;

/** @throws {VectorFileError} when the file is empty or no multiple of its first row. */
export async function openFvecs(path: string): Promise<VectorFile> {
  await using handle = await open(path);
  const first = Buffer.alloc(WORD_BYTES);
  await readFully(path, handle, { into: first, offset: 0 });
  const dimensions = checkedDimensions(path, first.readInt32LE(0));
  const { size } = await handle.stat();
  const count = size / (WORD_BYTES * (dimensions + 1));
  if (!Number.isInteger(count))
    throw new VectorFileError(
      `${path}: expected a multiple of ${WORD_BYTES * (dimensions + 1)} bytes (${dimensions} dimensions), got ${size}`,
    );
  return {
    path,
    dimensions,
    count,
    blocks: (rowsMax) => fvecsBlocks(path, { count, dimensions }, rowsMax),
  };
}

async function* fvecsBlocks(
  path: string,
  { count, dimensions }: { readonly count: number; readonly dimensions: number },
  rowsMax: number,
): AsyncGenerator<VectorBlock> {
  const stride = dimensions + 1;
  await using handle = await open(path);
  for (let firstRow = 0; firstRow < count; firstRow += rowsMax) {
    const rows = Math.min(rowsMax, count - firstRow);
    const words = new Float32Array(rows * stride);
    await readFully(path, handle, {
      into: new Uint8Array(words.buffer),
      offset: firstRow * stride * WORD_BYTES,
    });
    const sizes = new Int32Array(words.buffer);
    const vectors = new Float32Array(rows * dimensions);
    for (let row = 0; row < rows; row += 1) {
      const at = row * stride;
      if (sizes[at] !== dimensions)
        throw new VectorFileError(
          `${path}: expected ${dimensions} dimensions in row ${firstRow + row}, got ${sizes[at]}`,
        );
      vectors.set(words.subarray(at + 1, at + stride), row * dimensions);
    }
    yield { firstRow, rows, vectors, ids: null };
  }
}
