import { createLayout, type Chunk } from "../../../vector/layout.ts";
import { integerBytes } from "../../../vector/quantize.ts";
import type { Scanner } from "../../../vector/scan.ts";
import type { FindLists } from "./cluster-assignment.ts";
import type { GridVectors } from "./dense-vectors.ts";
import { createNearest, forget, keepNearest, NOTHING, type Nearest } from "./nearest.ts";

/** Lists in groups of likes, so that a row need not be compared with all of them. */
export interface Branches {
  readonly centroids: GridVectors;
  /** The numbers of each branch's lists. */
  readonly lists: readonly Uint16Array[];
  /** So many of the nearest branches are looked through. */
  readonly nearBranches: number;
}

/** The least that the kernel scores at once. */
const CHUNK_SLOTS = 32;

/** Some vectors in a chunk of the kernel, with their numbers. */
interface Run {
  readonly chunk: Chunk;
  readonly numbers: Uint16Array;
}

/** Returns what finds the lists near a row in the branches nearest to it. */
export function findByBranch(
  { centroids, branches }: { readonly centroids: GridVectors; readonly branches: Branches },
  scanner: Scanner,
  near: Nearest,
): FindLists {
  const names = Uint16Array.from({ length: branches.centroids.count }, (_, branch) => branch);
  const kernel = scanner.instantiate();
  const groups = [names, ...branches.lists];
  const slots = groups.reduce((sum, group) => sum + chunksFor(group) * CHUNK_SLOTS, 0);
  const { dimensions } = centroids;
  const layout = createLayout({ kernel, dimensions, chunkSlots: CHUNK_SLOTS, hasCodes: false }, slots);
  const chunks = layout.chunks.values();
  const take = (): Chunk => {
    const { value } = chunks.next();
    if (value === undefined) throw new RangeError("expected a chunk for each run");
    return value;
  };
  const runsFor = (from: GridVectors, numbers: Uint16Array): Run[] =>
    Array.from({ length: chunksFor(numbers) }, (_, at) =>
      fillRun(take(), from, numbers.slice(at * CHUNK_SLOTS, (at + 1) * CHUNK_SLOTS)),
    );
  const above = runsFor(branches.centroids, names);
  const below = branches.lists.map((numbers) => runsFor(centroids, numbers));
  const nearBranches = createNearest(Math.min(branches.nearBranches, names.length));
  const company = createCompany(scanner, centroids, near);
  const scoreAll = (runs: readonly Run[], into: Nearest): void => {
    for (const { chunk, numbers } of runs) {
      kernel.scoreIntegers(chunk.at);
      keepNearest(into, numbers, chunk.scores);
    }
  };
  return {
    find(vectors, row) {
      const from = row * integerBytes(dimensions);
      layout.queryIntegers.set(vectors.integers.subarray(from, from + integerBytes(dimensions)));
      kernel.begin(0, 0, vectors.scales[row] ?? 0);
      forget(nearBranches);
      scoreAll(above, nearBranches);
      forget(near);
      for (const branch of nearBranches.numbers) scoreAll(below[branch] ?? [], near);
      company.forget();
    },
    between: company.between,
  };
}

/** Scores those that were found against each other, as far as they are asked for. */
function createCompany(
  scanner: Scanner,
  centroids: GridVectors,
  near: Nearest,
): { forget(): void; between(one: number, other: number): number } {
  const kernel = scanner.instantiate();
  const { dimensions } = centroids;
  const width = integerBytes(dimensions);
  const count = near.numbers.length;
  const chunkSlots = Math.ceil(count / CHUNK_SLOTS) * CHUNK_SLOTS;
  const layout = createLayout({ kernel, dimensions, chunkSlots, hasCodes: false }, chunkSlots);
  const [chunk] = layout.chunks;
  if (chunk === undefined) throw new RangeError("expected a chunk for the lists that are near");
  const scores = Array.from({ length: count }, () => new Float32Array(count));
  const isKnown = new Uint8Array(count);
  let isFilled = false;
  return {
    forget() {
      isKnown.fill(0);
      isFilled = false;
    },
    between(one, other) {
      const row = scores[one];
      if (row === undefined) throw new RangeError(`expected one of ${count} places, got ${one}`);
      if (isKnown[one] === 1) return row[other] ?? 0;
      if (!isFilled) fillRun(chunk, centroids, near.numbers);
      isFilled = true;
      const list = near.numbers[one] ?? NOTHING;
      layout.queryIntegers.set(centroids.integers.subarray(list * width, (list + 1) * width));
      kernel.begin(0, 0, centroids.scales[list] ?? 0);
      kernel.scoreIntegers(chunk.at);
      row.set(chunk.scores.subarray(0, count));
      isKnown[one] = 1;
      return row[other] ?? 0;
    },
  };
}

function chunksFor(numbers: Uint16Array): number {
  return Math.ceil(numbers.length / CHUNK_SLOTS);
}

function fillRun(chunk: Chunk, from: GridVectors, numbers: Uint16Array): Run {
  const width = integerBytes(from.dimensions);
  chunk.admitted.fill(0);
  for (let slot = 0; slot < numbers.length; slot += 1) {
    const number = numbers[slot] ?? NOTHING;
    if (number === NOTHING) break;
    chunk.integers.set(from.integers.subarray(number * width, (number + 1) * width), slot * width);
    chunk.scales[slot] = from.scales[number] ?? 0;
    chunk.admitted[slot >> 5] = (chunk.admitted[slot >> 5] ?? 0) | (1 << (slot & 31));
  }
  return { chunk, numbers };
}
