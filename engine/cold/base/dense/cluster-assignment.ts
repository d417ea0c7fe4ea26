import { createLayout } from "../../../vector/layout.ts";
import { integerBytes } from "../../../vector/quantize.ts";
import type { Kernel, Scanner } from "../../../vector/scan.ts";
import type { GridVectors } from "./dense-vectors.ts";

/** Which rows to assign to how many lists each. */
export interface AssignTask {
  readonly centroids: GridVectors;
  readonly rows: Uint32Array;
  /** 1 for the nearest list alone, up to `COPIES_MAX`. */
  readonly listsMax: number;
}

/**
 * Assigns rows somewhere: in this thread, or in others that share the vectors.
 *
 * For each row `listsMax` numbers: the nearest list, then those that get a copy, then `NO_LIST`.
 */
export type AssignRows = (task: AssignTask) => Promise<Uint16Array>;

/** The home list included. Twelve out of 48 near lists gave 14 % more entries and 0.005 more recall. */
export const COPIES_MAX = 8;
export const NO_LIST = 0xffff;
/** One chunk of the kernel; the similarities of so many lists to each other take 67 MB. */
export const LISTS_AT_ONCE_MAX = 4_096;
/**
 * So many of the nearest lists may get a copy. Over 608,095 provisions in 1,600 plain k-means lists, 200 queries, twelve probes hold 0.967 of
 * the top ten with 8 (2.4 copies a row), 0.979 with 16 (3.2), 0.985 with 32 (4.1); eight near lists without the rule 0.965 (4.1).
 */
const NEAR_LISTS = 32;
/** A choice, not tuned: a row in the middle of its list needs no copy in one that is twice as far. */
const FARNESS_MAX = 2;

interface Centroids {
  readonly kernel: Kernel;
  readonly chunkAt: number;
  readonly queryIntegers: Int16Array;
  readonly scores: Float32Array;
}

/**
 * Returns the lists of the rows with these numbers.
 *
 * Pure, so that threads may share the work. Each call first scores the lists against each other, so few large calls are cheaper.
 */
export function assignRows(
  vectors: GridVectors,
  scanner: Scanner,
  { centroids, rows, listsMax }: AssignTask,
): Uint16Array {
  const loaded = load(centroids, scanner);
  const isNearestOnly = listsMax === 1;
  const between = isNearestOnly ? new Float32Array(0) : similaritiesBetween(centroids, loaded);
  const near = new Uint16Array(isNearestOnly ? 1 : NEAR_LISTS);
  const similarities = new Float32Array(near.length);
  const lists = new Uint16Array(rows.length * listsMax).fill(NO_LIST);
  for (let at = 0; at < rows.length; at += 1) {
    score(loaded, vectors, rows[at] ?? 0);
    keepNearest(loaded.scores, near, similarities);
    const found = lists.subarray(at * listsMax, (at + 1) * listsMax);
    if (isNearestOnly) found[0] = near[0] ?? NO_LIST;
    else chooseCopies({ near, similarities, between, count: centroids.count }, found);
  }
  return lists;
}

/** Assigns in this thread. */
export function assignHere(vectors: GridVectors, scanner: Scanner): AssignRows {
  // One memory for all tasks: each new one takes gigabytes of addresses until it is collected.
  const kernel = scanner.instantiate();
  return (task) => Promise.resolve(assignRows(vectors, { instantiate: () => kernel }, task));
}

function load(centroids: GridVectors, scanner: Scanner): Centroids {
  if (centroids.count > LISTS_AT_ONCE_MAX)
    throw new RangeError(`expected at most ${LISTS_AT_ONCE_MAX} lists at once, got ${centroids.count}`);
  const kernel = scanner.instantiate();
  const chunkSlots = Math.max(32, Math.ceil(centroids.count / 32) * 32);
  const { dimensions } = centroids;
  const layout = createLayout({ kernel, dimensions, chunkSlots, hasCodes: false }, chunkSlots);
  const chunk = layout.chunks[0];
  if (chunk === undefined) throw new RangeError("expected a chunk for the centroids");
  chunk.integers.set(centroids.integers);
  chunk.scales.set(centroids.scales);
  chunk.admitted.fill(0xffff_ffff);
  return {
    kernel,
    chunkAt: chunk.at,
    queryIntegers: layout.queryIntegers,
    scores: chunk.scores.subarray(0, centroids.count),
  };
}

function score({ kernel, chunkAt, queryIntegers }: Centroids, vectors: GridVectors, row: number): void {
  const width = integerBytes(vectors.dimensions);
  queryIntegers.set(vectors.integers.subarray(row * width, (row + 1) * width));
  // The kernel's histogram is of no use here: one bucket takes all.
  kernel.begin(0, 0, vectors.scales[row] ?? 0);
  kernel.scoreIntegers(chunkAt);
}

function similaritiesBetween(centroids: GridVectors, loaded: Centroids): Float32Array {
  const between = new Float32Array(centroids.count ** 2);
  for (let list = 0; list < centroids.count; list += 1) {
    score(loaded, centroids, list);
    between.set(loaded.scores, list * centroids.count);
  }
  return between;
}

/** Keeps the best scores by insertion: nearly all fail the first comparison. */
function keepNearest(scores: Float32Array, near: Uint16Array, similarities: Float32Array): void {
  near.fill(NO_LIST);
  similarities.fill(-Infinity);
  const last = near.length - 1;
  let lowest = -Infinity;
  for (let list = 0; list < scores.length; list += 1) {
    const found = scores[list] ?? 0;
    if (found <= lowest) continue;
    let at = last;
    while (at > 0 && (similarities[at - 1] ?? 0) < found) {
      similarities[at] = similarities[at - 1] ?? 0;
      near[at] = near[at - 1] ?? 0;
      at -= 1;
    }
    similarities[at] = found;
    near[at] = list;
    lowest = similarities[last] ?? -Infinity;
  }
}

/**
 * Chooses lists in different directions: a list nearer to one that has the row than to the row itself adds little to it.
 *
 * The rule of relative neighbourhood graphs, as in SPANN (Chen et al., "SPANN: Highly-efficient Billion-scale Approximate
 * Nearest Neighbor Search", NeurIPS 2021, section 3.2). All vectors have unit length: |x − c|² = 2 − 2⟨x, c⟩.
 */
function chooseCopies(
  from: {
    readonly near: Uint16Array;
    readonly similarities: Float32Array;
    readonly between: Float32Array;
    readonly count: number;
  },
  found: Uint16Array,
): void {
  const { near, similarities, between, count } = from;
  const farthest = 2 - 2 * (similarities[0] ?? 0);
  let chosen = 0;
  for (let at = 0; at < near.length && chosen < found.length; at += 1) {
    const list = near[at] ?? NO_LIST;
    const similarity = similarities[at] ?? 0;
    if (list === NO_LIST || (at > 0 && 2 - 2 * similarity > FARNESS_MAX ** 2 * farthest)) return;
    let isShadowed = false;
    for (let other = 0; other < chosen && !isShadowed; other += 1)
      isShadowed = (between[(found[other] ?? 0) * count + list] ?? 0) > similarity;
    if (isShadowed) continue;
    found[chosen] = list;
    chosen += 1;
  }
}
