import { integerBytes, toIntegers } from "../../../vector/quantize.ts";

/** Vectors rounded to a grid of bytes, each with a step of its own: component = integer · scale. */
export interface GridVectors {
  readonly count: number;
  readonly dimensions: number;
  /** `count` vectors of `integerBytes(dimensions)` bytes, zeros at the end of each. */
  /** Beyond 5.6 million of 384 dimensions a place is no 32-bit number: loops count within a vector, or they take forty times as long. */
  readonly integers: Int8Array;
  readonly scales: Float32Array;
}

/** Returns `count` zero vectors, to be filled. */
export function createGridVectors(count: number, dimensions: number): GridVectors {
  return {
    count,
    dimensions,
    integers: new Int8Array(count * integerBytes(dimensions)),
    scales: new Float32Array(count),
  };
}

/** The same in memory that threads share. */
export function createSharedGridVectors(count: number, dimensions: number): GridVectors {
  return {
    count,
    dimensions,
    integers: new Int8Array(new SharedArrayBuffer(count * integerBytes(dimensions))),
    scales: new Float32Array(new SharedArrayBuffer(count * Float32Array.BYTES_PER_ELEMENT)),
  };
}

/** Rounds the vector into its place. */
export function writeGridVector(into: GridVectors, at: number, vector: Float32Array): void {
  const { integers, scale } = toIntegers(vector);
  into.integers.set(integers, at * integers.length);
  into.scales[at] = scale;
}

/** Rounds the direction of the vector into its place. The scale is chosen after rounding, so that the rounded vector has unit length. */
export function writeUnitVector(into: GridVectors, at: number, vector: Float32Array): void {
  const { integers } = toIntegers(vector);
  into.integers.set(integers, at * integers.length);
  let square = 0;
  for (let i = 0; i < integers.length; i += 1) square += (integers[i] ?? 0) ** 2;
  into.scales[at] = square > 0 ? 1 / Math.sqrt(square) : 0;
}

/** Fills `into` with the vector of a number: each component the float32 nearest to integer · scale. */
export function readGridVector(from: GridVectors, at: number, into: Float32Array): void {
  const start = at * integerBytes(from.dimensions);
  const scale = from.scales[at] ?? 0;
  const { integers } = from;
  for (let i = 0; i < from.dimensions; i += 1) into[i] = (integers[start + i] ?? 0) * scale;
}

/** Returns the vectors of these numbers, in their order. */
export function pickGridVectors(from: GridVectors, numbers: Uint32Array): GridVectors {
  const picked = createGridVectors(numbers.length, from.dimensions);
  const width = integerBytes(from.dimensions);
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at] ?? 0;
    picked.integers.set(from.integers.subarray(number * width, (number + 1) * width), at * width);
    picked.scales[at] = from.scales[number] ?? 0;
  }
  return picked;
}
