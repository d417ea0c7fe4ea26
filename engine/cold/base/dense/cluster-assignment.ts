import { createLayout } from "../../../vector/layout.ts";
import { integerBytes } from "../../../vector/quantize.ts";
import type { Scanner } from "../../../vector/scan.ts";
import { findByBranch, type Branches } from "./branch-finder.ts";
import type { GridVectors } from "./dense-vectors.ts";
import { createNearest, forget, keepNearest, NOTHING, type Nearest } from "./nearest.ts";

/** Which rows to assign to how many lists each. */
export interface AssignTask {
  readonly centroids: GridVectors;
  /** Null when each row is compared with every list. */
  readonly branches: Branches | null;
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
export const NO_LIST = NOTHING;
/** The similarities of so many lists to each other take 67 MB. */
export const LISTS_AT_ONCE_MAX = 4_096;
/**
 * So many of the nearest lists may get a copy. Over 608,095 provisions in 1,600 plain k-means lists, 200 queries, twelve probes hold 0.967 of
 * the top ten with 8 (2.4 copies a row), 0.979 with 16 (3.2), 0.985 with 32 (4.1); eight near lists without the rule 0.965 (4.1).
 */
const NEAR_LISTS = 32;
/** A choice, not tuned: a row in the middle of its list needs no copy in one that is twice as far. */
const FARNESS_MAX = 2;

/** Finds the lists near a row. */
export interface FindLists {
  /** Fills what is near. */
  find(vectors: GridVectors, row: number): void;
  /** The similarity of two of those that were found last, by their places. */
  between(one: number, other: number): number;
}

/**
 * Returns the lists of the rows with these numbers.
 *
 * Pure, so that threads may share the work. Each call lays out the lists for the kernel first, so few large calls are cheaper.
 */
export function assignRows(vectors: GridVectors, scanner: Scanner, task: AssignTask): Uint16Array {
  const { rows, listsMax, centroids, branches } = task;
  const near = createNearest(listsMax === 1 ? 1 : NEAR_LISTS);
  const lists =
    branches === null
      ? findAmongAll(centroids, scanner, near)
      : findByBranch({ centroids, branches }, scanner, near);
  const assigned = new Uint16Array(rows.length * listsMax).fill(NO_LIST);
  for (let at = 0; at < rows.length; at += 1) {
    lists.find(vectors, rows[at] ?? 0);
    const found = assigned.subarray(at * listsMax, (at + 1) * listsMax);
    if (listsMax === 1) found[0] = near.numbers[0] ?? NO_LIST;
    else chooseCopies(near, lists, found);
  }
  return assigned;
}

/** Assigns in this thread. */
export function assignHere(vectors: GridVectors, scanner: Scanner): AssignRows {
  // The same memories for all tasks: each takes gigabytes of addresses until it is collected.
  const kernels = [scanner.instantiate(), scanner.instantiate()];
  return (task) => {
    const free = kernels.values();
    const kept = { instantiate: () => free.next().value ?? scanner.instantiate() };
    return Promise.resolve(assignRows(vectors, kept, task));
  };
}

function findAmongAll(centroids: GridVectors, scanner: Scanner, near: Nearest): FindLists {
  const { count, dimensions } = centroids;
  if (count > LISTS_AT_ONCE_MAX)
    throw new RangeError(`expected at most ${LISTS_AT_ONCE_MAX} lists at once, got ${count}`);
  const kernel = scanner.instantiate();
  const chunkSlots = Math.max(32, Math.ceil(count / 32) * 32);
  const layout = createLayout({ kernel, dimensions, chunkSlots, hasCodes: false }, chunkSlots);
  const [chunk] = layout.chunks;
  if (chunk === undefined) throw new RangeError("expected a chunk for the centroids");
  chunk.integers.set(centroids.integers);
  chunk.scales.set(centroids.scales);
  chunk.admitted.fill(0xffff_ffff);
  const score = (vectors: GridVectors, row: number): void => {
    const from = row * integerBytes(dimensions);
    layout.queryIntegers.set(vectors.integers.subarray(from, from + integerBytes(dimensions)));
    // The kernel's histogram is of no use here: one bucket takes all.
    kernel.begin(0, 0, vectors.scales[row] ?? 0);
    kernel.scoreIntegers(chunk.at);
  };
  const similarities = new Float32Array(near.numbers.length === 1 ? 0 : count ** 2);
  for (let list = 0; similarities.length > 0 && list < count; list += 1) {
    score(centroids, list);
    similarities.set(chunk.scores.subarray(0, count), list * count);
  }
  const numbers = Uint16Array.from({ length: count }, (_, list) => list);
  const { numbers: found } = near;
  return {
    find(vectors, row) {
      score(vectors, row);
      forget(near);
      keepNearest(near, numbers, chunk.scores);
    },
    between: (one, other) => similarities[(found[one] ?? 0) * count + (found[other] ?? 0)] ?? 0,
  };
}

/**
 * Chooses lists in different directions: a list nearer to one that has the row than to the row itself adds little to it.
 *
 * The rule of relative neighbourhood graphs, as in SPANN (Chen et al., "SPANN: Highly-efficient Billion-scale Approximate
 * Nearest Neighbor Search", NeurIPS 2021, section 3.2). All vectors have unit length: |x − c|² = 2 − 2⟨x, c⟩.
 */
function chooseCopies(near: Nearest, { between }: FindLists, found: Uint16Array): void {
  const farthest = 2 - 2 * (near.scores[0] ?? 0);
  const chosen: number[] = [];
  for (let at = 0; at < near.numbers.length && chosen.length < found.length; at += 1) {
    const list = near.numbers[at] ?? NO_LIST;
    const similarity = near.scores[at] ?? 0;
    if (list === NO_LIST || (at > 0 && 2 - 2 * similarity > FARNESS_MAX ** 2 * farthest)) return;
    if (chosen.some((other) => between(other, at) > similarity)) continue;
    found[chosen.length] = list;
    chosen.push(at);
  }
}
