import { integerBytes } from "../../../vector/quantize.ts";
import type { GridVectors } from "./dense-vectors.ts";

/** Splitting further would cost more than it orders: so few vectors are read together anyway. */
const LEAF_VECTORS = 8;

/**
 * Puts the numbers of vectors in an order in which likes are near each other.
 *
 * Recursive bisection: sorted along the line between two far vectors, cut in the middle, each half again. The line of a half points the way
 * of the line before it, so that the halves meet where they are alike; equal vectors have equal places on every line and stay together.
 */
export function orderByLikeness(vectors: GridVectors, numbers: Uint32Array): void {
  const direction = new Float32Array(vectors.dimensions);
  split(vectors, numbers, direction);
}

function split(vectors: GridVectors, numbers: Uint32Array, before: Float32Array): void {
  if (numbers.length <= 2) return;
  const direction = lineOf(vectors, numbers);
  let along = 0;
  for (let i = 0; i < direction.length; i += 1) along += (direction[i] ?? 0) * (before[i] ?? 0);
  if (along < 0) for (let i = 0; i < direction.length; i += 1) direction[i] = -(direction[i] ?? 0);
  const places = sortAlong(vectors, numbers, direction);
  const middle = cutOf(places);
  if (numbers.length <= LEAF_VECTORS || middle === 0) return;
  split(vectors, numbers.subarray(0, middle), direction);
  split(vectors, numbers.subarray(middle), direction);
}

/** Returns where the sorted places are cut: in the middle, or at the next place where equal ones do not part; 0 for nowhere. */
function cutOf(places: Float64Array): number {
  const middle = places.length >>> 1;
  const isCut = (at: number) => places[at - 1] !== places[at];
  for (let distance = 0; distance <= middle; distance += 1) {
    if (middle + distance < places.length && isCut(middle + distance)) return middle + distance;
    if (middle - distance > 0 && isCut(middle - distance)) return middle - distance;
  }
  return 0;
}

/** From the vector farthest from the first one to the one farthest from that. */
function lineOf(vectors: GridVectors, numbers: Uint32Array): Float32Array {
  const start = farthest(vectors, numbers, numbers[0] ?? 0);
  const end = farthest(vectors, numbers, start);
  const width = integerBytes(vectors.dimensions);
  const [startScale, endScale] = [vectors.scales[start] ?? 0, vectors.scales[end] ?? 0];
  const direction = new Float32Array(vectors.dimensions);
  for (let i = 0; i < direction.length; i += 1) {
    direction[i] =
      (vectors.integers[end * width + i] ?? 0) * endScale -
      (vectors.integers[start * width + i] ?? 0) * startScale;
  }
  return direction;
}

/** Unit vectors: the farthest has the smallest dot product. */
function farthest(vectors: GridVectors, numbers: Uint32Array, from: number): number {
  const width = integerBytes(vectors.dimensions);
  const { integers, scales } = vectors;
  let found = from;
  let lowest = Infinity;
  const start = from * width;
  for (const number of numbers) {
    let sum = 0;
    const at = number * width;
    for (let i = 0; i < width; i += 1) sum += (integers[start + i] ?? 0) * (integers[at + i] ?? 0);
    sum *= scales[number] ?? 0;
    if (sum < lowest) {
      lowest = sum;
      found = number;
    }
  }
  return found;
}

function sortAlong(vectors: GridVectors, numbers: Uint32Array, direction: Float32Array): Float64Array {
  const width = integerBytes(vectors.dimensions);
  const { integers, scales } = vectors;
  const places = new Float64Array(numbers.length);
  for (let at = 0; at < numbers.length; at += 1) {
    const number = numbers[at] ?? 0;
    let sum = 0;
    const start = number * width;
    for (let i = 0; i < direction.length; i += 1) sum += (direction[i] ?? 0) * (integers[start + i] ?? 0);
    places[at] = sum * (scales[number] ?? 0);
  }
  const before = numbers.slice();
  const sorted = Uint32Array.from(numbers, (_, at) => at).sort(
    (a, b) => (places[a] ?? 0) - (places[b] ?? 0) || (before[a] ?? 0) - (before[b] ?? 0),
  );
  for (let at = 0; at < sorted.length; at += 1) numbers[at] = before[sorted[at] ?? 0] ?? 0;
  return places.sort();
}
