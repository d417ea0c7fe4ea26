import { countBits, hasBit, type Bitmap } from "../../../index/bitmap.ts";
import type { DenseDirectory } from "./dense-directory.ts";
import { codeBytes } from "./list-codes.ts";

/** What a search may read of lists. */
export interface ProbeBudget {
  readonly probesMax: number;
  /** Reads of the file: lists that lie next to each other are one. */
  readonly readsMax: number;
  readonly bytesMax: number;
  /** A list is left out when its centroid is farther from the query than the nearest one by this factor. */
  readonly farness: number;
}

/** Of an entry beside its code: its factor, of most entries the difference of a row. */
const COPY_BYTES = 3.5;

/** Returns how many admitted rows are at home in each list. */
export function admittedByList({ lists }: DenseDirectory, admitted: Bitmap | null): Uint32Array {
  const counts = new Uint32Array(lists.count);
  for (let list = 0; list < lists.count; list += 1) {
    const [start, end] = [lists.starts[list] ?? 0, lists.starts[list + 1] ?? 0];
    counts[list] = admitted === null ? end - start : countRange(admitted, start, end);
  }
  return counts;
}

/** Returns the lists to read, nearest first, with what they cost; those at which no admitted row is at home are passed over. */
export function chooseProbes(
  directory: DenseDirectory,
  {
    scores,
    admitted,
    budget,
  }: {
    /** Products of a query of unit length with the centroids. */
    readonly scores: Float32Array;
    readonly admitted: Uint32Array;
    readonly budget: ProbeBudget;
  },
): { readonly lists: readonly number[]; readonly reads: number; readonly bytes: number } {
  const order = Uint32Array.from(scores, (_, list) => list).sort(
    (a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b,
  );
  const entryBytes = codeBytes(directory.centroids.dimensions) + COPY_BYTES;
  const chosen: number[] = [];
  const isChosen = new Uint8Array(directory.lists.count + 2);
  let reads = 0;
  let bytes = 0;
  let farthest = Infinity;
  for (const list of order) {
    if ((admitted[list] ?? 0) === 0) continue;
    const distance = Math.sqrt(Math.max(0, 2 - 2 * (scores[list] ?? 0)));
    if (chosen.length === 0) farthest = distance * budget.farness;
    else if (chosen.length >= budget.probesMax || distance > farthest) break;
    // Places are shifted by one, so that the first list has one before it.
    const readsAfter = reads + 1 - (isChosen[list] ?? 0) - (isChosen[list + 2] ?? 0);
    const bytesAfter = bytes + (directory.lists.entries[list] ?? 0) * entryBytes;
    if (chosen.length > 0 && (readsAfter > budget.readsMax || bytesAfter > budget.bytesMax)) continue;
    isChosen[list + 1] = 1;
    reads = readsAfter;
    bytes = bytesAfter;
    chosen.push(list);
  }
  return { lists: chosen, reads, bytes };
}

function countRange(bitmap: Bitmap, start: number, end: number): number {
  const [firstWord, lastWord] = [Math.ceil(start / 32), end >>> 5];
  if (firstWord >= lastWord) return countEach(bitmap, start, end);
  const whole = countBits({ words: bitmap.words.subarray(firstWord, lastWord) });
  return countEach(bitmap, start, firstWord * 32) + whole + countEach(bitmap, lastWord * 32, end);
}

function countEach(bitmap: Bitmap, start: number, end: number): number {
  let total = 0;
  for (let row = start; row < end; row += 1) if (hasBit(bitmap, row)) total += 1;
  return total;
}
