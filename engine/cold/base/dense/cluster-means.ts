import { integerBytes } from "../../../vector/quantize.ts";
import type { AssignRows } from "./cluster-assignment.ts";
import {
  createGridVectors,
  pickGridVectors,
  readGridVector,
  writeUnitVector,
  type GridVectors,
} from "./dense-vectors.ts";

export interface MeansOptions {
  readonly lists: number;
  /** Splits never make more. */
  readonly listsMax: number;
  /** Numbers in [0, 1), with a seed. */
  readonly random: () => number;
  readonly assign: AssignRows;
}

/** A choice, not tuned: four rounds that may split, two that settle. */
export const MEANS_ROUNDS = 6;
/** A choice, not tuned. A large list costs every query near it its whole length. */
const SPLIT_TIMES = 2.5;
/** A choice, not tuned: a list with less than this part of the mean may be dissolved to make room for a split. */
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
    const assigned = await options.assign({ centroids, branches: null, rows: sample, listsMax: 1 });
    // Only the rounds that follow can settle what a split has moved.
    const splits =
      round < MEANS_ROUNDS - 2
        ? splitsOf(sample, { ...options, assigned, lists: centroids.count })
        : NO_SPLITS;
    centroids = meansOf(vectors, sample, {
      assigned,
      lists: centroids.count,
      wanted: options.lists,
      splits,
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

/** The lists that are too large, with rows that take the place of their centroids: one for each mean's worth. */
interface Splits {
  readonly lists: ReadonlySet<number>;
  readonly seeds: readonly number[];
}

const NO_SPLITS: Splits = { lists: new Set(), seeds: [] };

/** Returns what is to be split; the centroid itself goes, since a mean would keep most rows from single ones of them. */
function splitsOf(sample: Uint32Array, options: MeansOptions & { readonly assigned: Uint16Array }): Splits {
  const counts = new Uint32Array(options.lists);
  for (const list of options.assigned) counts[list] = (counts[list] ?? 0) + 1;
  const mean = sample.length / options.lists;
  const lists = new Set<number>();
  const seeds: number[] = [];
  for (let at = 0; at < sample.length; at += 1) {
    const list = options.assigned[at] ?? 0;
    const count = counts[list] ?? 0;
    if (count < mean * SPLIT_TIMES || seeds.length >= options.listsMax - options.lists) continue;
    if (options.random() * mean > 1) continue;
    lists.add(list);
    seeds.push(sample[at] ?? 0);
  }
  return { lists, seeds };
}

/** Returns the normalised means of the lists that are kept, then the seeds. */
function meansOf(
  vectors: GridVectors,
  sample: Uint32Array,
  options: {
    readonly assigned: Uint16Array;
    readonly lists: number;
    readonly wanted: number;
    readonly splits: Splits;
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
    const [from, to] = [row * width, list * dimensions];
    for (let i = 0; i < dimensions; i += 1)
      sums[to + i] = (sums[to + i] ?? 0) + (integers[from + i] ?? 0) * scale;
  }
  const kept = keptLists(counts, { ...options, mean: sample.length / options.wanted });
  const centroids = createGridVectors(kept.length + options.splits.seeds.length, dimensions);
  let next = 0;
  for (const list of kept) {
    writeUnitVector(centroids, next, sums.subarray(list * dimensions, (list + 1) * dimensions));
    next += 1;
  }
  const row = new Float32Array(dimensions);
  for (const seed of options.splits.seeds) {
    readGridVector(vectors, seed, row);
    writeUnitVector(centroids, next, row);
    next += 1;
  }
  return centroids;
}

/** Returns the lists that have rows and are not split, but for the smallest ones when seeds would make the lists too many. */
function keptLists(
  counts: Uint32Array,
  { wanted, splits, mean }: { readonly wanted: number; readonly splits: Splits; readonly mean: number },
): readonly number[] {
  const lists = Array.from(counts, (_, list) => list).filter(
    (list) => (counts[list] ?? 0) > 0 && !splits.lists.has(list),
  );
  const surplus = Math.max(0, lists.length + splits.seeds.length - wanted);
  const smallest = lists
    .filter((list) => (counts[list] ?? 0) < mean / DROP_PART)
    .toSorted((a, b) => (counts[a] ?? 0) - (counts[b] ?? 0) || a - b);
  const dropped = new Set(smallest.slice(0, surplus));
  return lists.filter((list) => !dropped.has(list));
}
