import { COPIES_MAX, LISTS_MAX, NO_LIST, type AssignRows } from "./cluster-assignment.ts";
import { MEANS_ROUNDS, someOf, trainCentroids } from "./cluster-means.ts";
import { orderByLikeness } from "./cluster-order.ts";
import { pickGridVectors, type GridVectors } from "./dense-vectors.ts";
import { seededRandom } from "../../../seeded-random.ts";

/** Passages in lists of likes. */
export interface Clustering {
  /** The input's number of each row: rows of one list lie together, near lists near each other. */
  readonly order: Uint32Array;
  /** The first row of each list that is its home, then the number of rows. */
  readonly listStarts: Uint32Array;
  /** One vector of unit length for each list. */
  readonly centroids: GridVectors;
  /** For each list the rows of other homes that have a copy in it, ascending. */
  readonly copies: { readonly starts: Uint32Array; readonly rows: Uint32Array };
}

export interface ClusterOptions {
  readonly seed: number;
  /** `assignHere(vectors, scanner)`, or something that shares the work among threads. */
  readonly assign: AssignRows;
  /** How much is done, from 0 to 1. */
  readonly progressed?: (share: number) => void;
}

/** 608,095 provisions make 1,600 lists of 1,520 entries in the mean, copies included: 78 kB a read. */
const LIST_ROWS = 380;
/** A choice, not tuned: the sample of 1,600 lists is then a sixth of 608,095 rows. */
const SAMPLE_LIST_ROWS = 64;
/** A choice: 38 tasks for 608,095 rows, so that progress shows, each far longer than its start. */
const TASK_ROWS = 16_384;

/** Groups vectors of unit length into lists; the same for the same vectors and seed. */
export async function clusterPassages(vectors: GridVectors, options: ClusterOptions): Promise<Clustering> {
  const random = seededRandom(options.seed);
  const all = Uint32Array.from({ length: vectors.count }, (_, row) => row);
  const lists = Math.min(LISTS_MAX, Math.max(1, Math.round(vectors.count / LIST_ROWS)));
  const sample = someOf(all, lists * SAMPLE_LIST_ROWS, random);
  const tasks = Math.ceil(vectors.count / TASK_ROWS);
  const steps = MEANS_ROUNDS * Math.ceil(sample.length / TASK_ROWS) + tasks + 1;
  let done = 0;
  const progressed = () => {
    done += 1;
    options.progressed?.(Math.min(1, done / steps));
  };
  const assign = inTasks(options.assign, progressed);
  const trained = await trainCentroids(vectors, sample, { lists, random, assign });
  // Near lists get near numbers before rows are assigned, so that rows need no second numbering.
  const listOrder = Uint32Array.from({ length: trained.count }, (_, list) => list);
  orderByLikeness(trained, listOrder);
  const centroids = pickGridVectors(trained, listOrder);
  const assigned = await assign({ centroids, rows: all, listsMax: COPIES_MAX });
  const clustering = { ...arrange(vectors, centroids, assigned), centroids };
  progressed();
  return clustering;
}

/** Cuts what is to be assigned into tasks, all of which the caller gets at once. */
function inTasks(assign: AssignRows, progressed: () => void): AssignRows {
  return async ({ centroids, rows, listsMax }) => {
    const lists = new Uint16Array(rows.length * listsMax);
    const starts = Array.from({ length: Math.ceil(rows.length / TASK_ROWS) }, (_, task) => task * TASK_ROWS);
    await Promise.all(
      starts.map(async (start) => {
        const part = rows.slice(start, start + TASK_ROWS);
        lists.set(await assign({ centroids, rows: part, listsMax }), start * listsMax);
        progressed();
      }),
    );
    return lists;
  };
}

function arrange(
  vectors: GridVectors,
  centroids: GridVectors,
  assigned: Uint16Array,
): Omit<Clustering, "centroids"> {
  const homes = new Uint32Array(centroids.count + 1);
  const copyStarts = new Uint32Array(centroids.count + 1);
  for (let at = 0; at < assigned.length; at += 1) {
    const list = assigned[at] ?? NO_LIST;
    const counts = at % COPIES_MAX === 0 ? homes : copyStarts;
    if (list !== NO_LIST) counts[list + 1] = (counts[list + 1] ?? 0) + 1;
  }
  accumulate(homes);
  accumulate(copyStarts);
  const order = new Uint32Array(vectors.count);
  const nextHome = homes.slice();
  for (let input = 0; input < vectors.count; input += 1) {
    const list = assigned[input * COPIES_MAX] ?? 0;
    const row = nextHome[list] ?? 0;
    order[row] = input;
    nextHome[list] = row + 1;
  }
  for (let list = 0; list < centroids.count; list += 1)
    orderByLikeness(vectors, order.subarray(homes[list], homes[list + 1]));
  const rows = new Uint32Array(copyStarts[centroids.count] ?? 0);
  const nextCopy = copyStarts.slice();
  for (let row = 0; row < order.length; row += 1) {
    const from = (order[row] ?? 0) * COPIES_MAX;
    for (let copy = 1; copy < COPIES_MAX; copy += 1) {
      const list = assigned[from + copy] ?? NO_LIST;
      if (list === NO_LIST) break;
      const at = nextCopy[list] ?? 0;
      rows[at] = row;
      nextCopy[list] = at + 1;
    }
  }
  return { order, listStarts: homes, copies: { starts: copyStarts, rows } };
}

function accumulate(counts: Uint32Array): void {
  for (let at = 1; at < counts.length; at += 1) counts[at] = (counts[at] ?? 0) + (counts[at - 1] ?? 0);
}
