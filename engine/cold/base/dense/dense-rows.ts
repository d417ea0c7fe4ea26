import { ColdFormatError } from "../../format-error.ts";
import { integerBytes } from "../../../vector/quantize.ts";
import type { GridVectors } from "./dense-vectors.ts";

/** A choice, not tuned: 32 rows of 384 dimensions, so that the blocks of 608,095 rows take 304 kB of the directory. */
const BLOCK_BYTES = 12_416;
/** A choice: beyond it a block of few dimensions would span several lists. */
const ROWS_PER_BLOCK_MAX = 256;
const SCALE_BYTES = 4;

/** Returns how many rows a block has: a power of two. */
export function rowsPerBlockFor(dimensions: number): number {
  const most = BLOCK_BYTES / (dimensions + SCALE_BYTES);
  return Math.min(ROWS_PER_BLOCK_MAX, 2 ** Math.max(0, Math.floor(Math.log2(most))));
}

export function rowBlockBytes(rows: number, dimensions: number): number {
  return rows * (SCALE_BYTES + dimensions);
}

/** Returns the rows of a block as one piece: their scales as float32, then their integers, `dimensions` bytes each. */
export function encodeRowBlock(vectors: GridVectors, inputs: Uint32Array): Uint8Array {
  const { dimensions } = vectors;
  const width = integerBytes(dimensions);
  const bytes = new Uint8Array(rowBlockBytes(inputs.length, dimensions));
  const integers = new Int8Array(bytes.buffer, inputs.length * SCALE_BYTES);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < inputs.length; at += 1) {
    const from = (inputs[at] ?? 0) * width;
    view.setFloat32(at * SCALE_BYTES, vectors.scales[inputs[at] ?? 0] ?? 0, true);
    integers.set(vectors.integers.subarray(from, from + dimensions), at * dimensions);
  }
  return bytes;
}

/** Returns a function that fills `into` with a row of the block, by its place there. */
export function decodeRowBlock(
  bytes: Uint8Array,
  { rows, dimensions }: { readonly rows: number; readonly dimensions: number },
): (at: number, into: Float32Array) => void {
  if (bytes.byteLength !== rowBlockBytes(rows, dimensions))
    throw new ColdFormatError(`expected a block of ${rows} rows, got ${bytes.byteLength} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const integers = new Int8Array(bytes.buffer, bytes.byteOffset + rows * SCALE_BYTES, rows * dimensions);
  return (at, into) => {
    const scale = view.getFloat32(at * SCALE_BYTES, true);
    for (let i = 0, j = at * dimensions; i < dimensions; i += 1, j += 1) into[i] = (integers[j] ?? 0) * scale;
  };
}
