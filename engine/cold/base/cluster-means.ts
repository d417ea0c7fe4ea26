import { integerBytes } from "../../vector/quantize.ts";
import { LISTS_MAX, type AssignRows } from "./cluster-assignment.ts";
import {
  createGridVectors,
  pickGridVectors,
  readGridVector,
  writeGridVector,
  type GridVectors,
} from "./dense-vectors.ts";

export interface MeansOptions {
  readonly lists: number;
  /** Numbers in [0, 1), with a seed. */
  readonly random: () => number;
  readonly assign: AssignRows;
}

/** The means of the seventh round differ from those of the sixth by less than what lists gain in recall. */
export const MEANS_ROUNDS = 6;
/** A list of so many times the mean is split: a large list costs every query near it its whole length. */
const SPLIT_TIMES = 2.5;
/** A list with less than this part of the mean may be dissolved to make room for a split. */
const DROP_PART = 2;

/**
 * Returns centroids of unit length over the sample: spherical k-means (Dhillon and Modha, "Concept Decompositions for Large Sparse Text
 * Data Using Clustering", 2001) from random rows, where lists that grow too large get more centroids from among their rows
 * while the smallest lists lose theirs.
 */
export async function trainCentroids(
  vectors: GridVectors,
  sample: Uint32Array,
  options: MeansOptions,
): Promise<GridVectors> {
  let centroids = pickGridVectors(vectors, someOf(sample, options.lists, options.random));
  for (let round = 0; round < MEANS_ROUNDS; round += 1) {
    const assigned = await options.assign({ centroids, rows: sample, listsMax: 1 });
    // Only the rounds that follow can settle what a split has moved.
    const seeds =
      round < MEANS_ROUNDS - 2 ? splitSeeds(sample, { ...options, assigned, lists: centroids.count }) : [];
    centroids = meansOf(vectors, sample, {
      assigned,
      lists: centroids.count,
      wanted: options.lists,
      seeds,
    });
  }
  return centroids;
}

/** Returns so many different items, or all (the first steps of a Fisher-Yates shuffle). */
export function someOf(items: Uint32Array, wanted: number, random: () => number): Uint32Array {
  const shuffled = items.slice();
  const count = Math.min(wanted, items.length);
  for (let at = 0; at < count; at += 1) {
    const other = at + Math.floor(random() * (items.length - at));
    const item = shuffled[other] ?? 0;
    shuffled[other] = shuffled[at] ?? 0;
    shuffled[at] = item;
  }
  return shuffled.slice(0, count);
}

/** Returns rows of the lists that are too large: one for each mean's worth beyond the first. */
function splitSeeds(
  sample: Uint32Array,
  options: MeansOptions & { readonly assigned: Uint16Array },
): readonly number[] {
  const counts = new Uint32Array(LISTS_MAX);
  for (const list of options.assigned) counts[list] = (counts[list] ?? 0) + 1;
  const mean = sample.length / options.lists;
  const seeds: number[] = [];
  for (let at = 0; at < sample.length; at += 1) {
    const count = counts[options.assigned[at] ?? 0] ?? 0;
    if (count < mean * SPLIT_TIMES) continue;
    if (options.random() * count < count / mean - 1) seeds.push(sample[at] ?? 0);
  }
  return seeds.slice(0, LISTS_MAX - options.lists);
}

/** Returns the normalised means of the lists that are kept, then the seeds. */
function meansOf(
  vectors: GridVectors,
  sample: Uint32Array,
  options: {
    readonly assigned: Uint16Array;
    readonly lists: number;
    readonly wanted: number;
    readonly seeds: readonly number[];
  },
): GridVectors {
  const { dimensions, integers, scales } = vectors;
  const width = integerBytes(dimensions);
  const sums = new Float32Array(options.lists * dimensions);
  const counts = new Uint32Array(options.lists);
  for (let at = 0; at < sample.length; at += 1) {
    const row = sample[at] ?? 0;
    const list = options.assigned[at] ?? 0;
    const scale = scales[row] ?? 0;
    counts[list] = (counts[list] ?? 0) + 1;
    for (let i = list * dimensions, j = row * width; i < (list + 1) * dimensions; i += 1, j += 1)
      sums[i] = (sums[i] ?? 0) + (integers[j] ?? 0) * scale;
  }
  const kept = keptLists(counts, { ...options, mean: sample.length / options.wanted });
  const centroids = createGridVectors(kept.length + options.seeds.length, dimensions);
  let next = 0;
  for (const list of kept) {
    writeUnit(centroids, next, sums.subarray(list * dimensions, (list + 1) * dimensions));
    next += 1;
  }
  const row = new Float32Array(dimensions);
  for (const seed of options.seeds) {
    readGridVector(vectors, seed, row);
    writeUnit(centroids, next, row);
    next += 1;
  }
  return centroids;
}

/** Returns the lists that have rows, but for the smallest ones when seeds would make the lists too many. */
function keptLists(
  counts: Uint32Array,
  {
    wanted,
    seeds,
    mean,
  }: { readonly wanted: number; readonly seeds: readonly number[]; readonly mean: number },
): readonly number[] {
  const lists = Array.from(counts, (_, list) => list).filter((list) => (counts[list] ?? 0) > 0);
  const surplus = Math.max(0, lists.length + seeds.length - wanted);
  const smallest = lists
    .filter((list) => (counts[list] ?? 0) < mean / DROP_PART)
    .toSorted((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0) || a - b);
  const dropped = new Set(smallest.slice(0, surplus));
  return lists.filter((list) => !dropped.has(list));
}

/** The scale is chosen after rounding, so that the rounded vector has unit length: angles with it are then exact. */
function writeUnit(into: GridVectors, at: number, vector: Float32Array): void {
  writeGridVector(into, at, vector);
  const width = integerBytes(vector.length);
  let square = 0;
  for (const value of into.integers.subarray(at * width, (at + 1) * width)) square += value * value;
  into.scales[at] = square > 0 ? 1 / Math.sqrt(square) : 0;
}
