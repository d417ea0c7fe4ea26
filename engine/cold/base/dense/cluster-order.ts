import { createLayout, type Chunk } from "../../../vector/layout.ts";
import { integerBytes } from "../../../vector/quantize.ts";
import type { Kernel, Scanner } from "../../../vector/scan.ts";
import type { GridVectors } from "./dense-vectors.ts";

/** Splitting further would cost more than it orders: so few vectors are read together anyway. */
const LEAF_VECTORS = 8;

/** Puts numbers of vectors in an order in which likes are near each other. */
export type OrderByLikeness = (numbers: Uint32Array) => void;

/** A kernel with room for the vectors that are ordered. */
interface Bench {
  readonly vectors: GridVectors;
  readonly kernel: Kernel;
  readonly chunk: Chunk;
  readonly queryIntegers: Int16Array;
}

/**
 * Returns the order of these vectors.
 *
 * Recursive bisection: sorted along the line between two far vectors, cut in the middle, each half again. The line of a half points the way
 * of the line before it, so that the halves meet where they are alike; equal vectors have equal places on every line and stay together.
 */
export function likenessOf(vectors: GridVectors, scanner: Scanner): OrderByLikeness {
  const kernel = scanner.instantiate();
  return (numbers) => {
    if (numbers.length <= 2) return;
    const chunkSlots = Math.ceil(numbers.length / 32) * 32;
    const layout = createLayout(
      { kernel, dimensions: vectors.dimensions, chunkSlots, hasCodes: false },
      chunkSlots,
    );
    const chunk = layout.chunks[0];
    if (chunk === undefined) throw new RangeError("expected a chunk for the vectors");
    // Scores are then products of integers, which float32 holds whole.
    chunk.scales.fill(1);
    const bench = { vectors, kernel, chunk, queryIntegers: layout.queryIntegers };
    split(bench, numbers, new Float32Array(vectors.dimensions));
  };
}

function split(bench: Bench, numbers: Uint32Array, before: Float32Array): void {
  if (numbers.length <= 2) return;
  load(bench, numbers);
  const { scales } = bench.vectors;
  // From the vector farthest from the first one to the one farthest from that.
  const start = numbers[farthest(bench, numbers, dotsWith(bench, numbers[0] ?? 0))] ?? 0;
  const toStart = dotsWith(bench, start).slice(0, numbers.length);
  const end = numbers[farthest(bench, numbers, toStart)] ?? 0;
  const toEnd = dotsWith(bench, end);
  const direction = lineOf(bench.vectors, start, end);
  let along = 0;
  for (let i = 0; i < direction.length; i += 1) along += (direction[i] ?? 0) * (before[i] ?? 0);
  const sign = along < 0 ? -1 : 1;
  if (sign < 0) for (let i = 0; i < direction.length; i += 1) direction[i] = -(direction[i] ?? 0);
  const [startScale, endScale] = [(scales[start] ?? 0) * sign, (scales[end] ?? 0) * sign];
  const places = Float64Array.from(
    numbers,
    (number, at) => ((toEnd[at] ?? 0) * endScale - (toStart[at] ?? 0) * startScale) * (scales[number] ?? 0),
  );
  sortBy(places, numbers);
  const middle = cutOf(places);
  if (numbers.length <= LEAF_VECTORS || middle === 0) return;
  split(bench, numbers.subarray(0, middle), direction);
  split(bench, numbers.subarray(middle), direction);
}

function load({ vectors, chunk }: Bench, numbers: Uint32Array): void {
  const width = integerBytes(vectors.dimensions);
  for (let at = 0; at < numbers.length; at += 1) {
    const from = (numbers[at] ?? 0) * width;
    chunk.integers.set(vectors.integers.subarray(from, from + width), at * width);
  }
  // The kernel passes over words without a bit.
  chunk.admitted.fill(0).fill(0xffff_ffff, 0, Math.ceil(numbers.length / 32));
}

/** Products of the integers of one vector with those that are loaded; valid until the next call. */
function dotsWith({ vectors, kernel, chunk, queryIntegers }: Bench, number: number): Float32Array {
  const width = integerBytes(vectors.dimensions);
  queryIntegers.set(vectors.integers.subarray(number * width, (number + 1) * width));
  kernel.begin(0, 0, 1);
  kernel.scoreIntegers(chunk.at);
  return chunk.scores;
}

/** Unit vectors: the farthest has the smallest dot product. */
function farthest({ vectors }: Bench, numbers: Uint32Array, dots: Float32Array): number {
  let found = 0;
  let lowest = Infinity;
  for (let at = 0; at < numbers.length; at += 1) {
    const dot = (dots[at] ?? 0) * (vectors.scales[numbers[at] ?? 0] ?? 0);
    if (dot >= lowest) continue;
    lowest = dot;
    found = at;
  }
  return found;
}

function lineOf(vectors: GridVectors, start: number, end: number): Float32Array {
  const width = integerBytes(vectors.dimensions);
  const [startScale, endScale] = [vectors.scales[start] ?? 0, vectors.scales[end] ?? 0];
  const [startAt, endAt] = [start * width, end * width];
  const direction = new Float32Array(vectors.dimensions);
  for (let i = 0; i < direction.length; i += 1)
    direction[i] =
      (vectors.integers[endAt + i] ?? 0) * endScale - (vectors.integers[startAt + i] ?? 0) * startScale;
  return direction;
}

/** Sorts both by the places, equal ones by their numbers. */
function sortBy(places: Float64Array, numbers: Uint32Array): void {
  const before = numbers.slice();
  const sorted = Uint32Array.from(numbers, (_, at) => at).sort(
    (a, b) => (places[a] ?? 0) - (places[b] ?? 0) || (before[a] ?? 0) - (before[b] ?? 0),
  );
  for (let at = 0; at < sorted.length; at += 1) numbers[at] = before[sorted[at] ?? 0] ?? 0;
  places.sort();
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
