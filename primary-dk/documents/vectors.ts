/** Vectors as they rest in Postgres, little-endian. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";

export function bytesOfFloats(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Copies: bytes of the driver need not begin at a multiple of four. */
export function floatsOfBytes(bytes: Uint8Array): Float32Array<ArrayBuffer> {
  return new Float32Array(new Uint8Array(bytes).buffer);
}

/** All term ids, then all weights. */
export function bytesOfSparse({ indices, values }: SparseVector): Uint8Array {
  const bytes = new Uint8Array(indices.byteLength + values.byteLength);
  bytes.set(new Uint8Array(indices.buffer, indices.byteOffset, indices.byteLength));
  bytes.set(bytesOfFloats(values), indices.byteLength);
  return bytes;
}

export function sparseOfBytes(bytes: Uint8Array): SparseVector {
  const { buffer } = new Uint8Array(bytes);
  const terms = bytes.byteLength / 8;
  return { indices: new Uint32Array(buffer, 0, terms), values: new Float32Array(buffer, terms * 4, terms) };
}

/** The unit vector of the same direction; null for a vector without one, or with a number that is not finite. */
export function unitVector(values: readonly number[]): Float32Array<ArrayBuffer> | null {
  let largest = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) return null;
    largest = Math.max(largest, Math.abs(value));
  }
  if (largest === 0) return null;
  // Divided by the largest first: squares of 1e200 are not finite.
  let squares = 0;
  for (const value of values) squares += (value / largest) ** 2;
  const length = Math.sqrt(squares);
  return Float32Array.from(values, (value) => value / largest / length);
}
