import { seededRandom } from "../../../seeded-random.ts";
import { integerBytes } from "../../../vector/quantize.ts";
import type { Scanner } from "../../../vector/scan.ts";
import { assignHere, COPIES_MAX, LISTS_AT_ONCE_MAX, NO_LIST, type AssignRows } from "./cluster-assignment.ts";
import { branchesOf, trainByBranches, type Branching } from "./cluster-branches.ts";
import { MEANS_ROUNDS, someOf, trainCentroids } from "./cluster-means.ts";
import { likenessOf, type OrderByLikeness } from "./cluster-order.ts";
import { pickGridVectors, type GridVectors } from "./dense-vectors.ts";

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
  readonly scanner: Scanner;
  /** `assignHere(vectors, scanner)`, or something that shares the work among threads. */
  readonly assign: AssignRows;
  /** How much is done, from 0 to 1. */
  readonly progressed?: (share: number) => void;
  /** More lists than `listsAtOnceMax` have branches. */
  readonly branching?: Branching & { readonly listsAtOnceMax: number };
}

/** 608,095 provisions make 1,600 lists of 1,520 entries in the mean, copies included: 78 kB a read. */
const LIST_ROWS = 380;
/** Of the 24 MiB of roots that an isolate keeps; 27,306 lists at 384 dimensions. */
const CENTROID_BYTES_MAX = 10 * 1_024 * 1_024;
/** A list's number has 16 bits, one number means none, and splits may double what is asked for. */
const LISTS_MAX = 32_000;
/** A choice, not tuned: the sample of 1,600 lists is then a sixth of 608,095 rows. */
const SAMPLE_LIST_ROWS = 64;
/** A choice: 38 tasks for 608,095 rows, so that progress shows, each far longer than its start. */
const TASK_ROWS = 16_384;
const BRANCHING = { listsAtOnceMax: LISTS_AT_ONCE_MAX, branchLists: 64, nearLists: 1_536 } as const;

/** Groups vectors of unit length into lists; the same for the same vectors and seed. */
export async function clusterPassages(vectors: GridVectors, options: ClusterOptions): Promise<Clustering> {
  const random = seededRandom(options.seed);
  const rows = Uint32Array.from({ length: vectors.count }, (_, row) => row);
  const lists = listsFor(vectors);
  const sample = someOf(rows, lists * SAMPLE_LIST_ROWS, random);
  const branching = options.branching ?? BRANCHING;
  const isBranched = lists > branching.listsAtOnceMax;
  const passes = isBranched ? MEANS_ROUNDS + 1 : MEANS_ROUNDS;
  const total = passes * sample.length + rows.length;
  let done = 0;
  const assign = inTasks(options.assign, (count) => {
    done += count;
    // The last step is to arrange what was assigned.
    options.progressed?.(Math.min(0.99, done / total));
  });
  const means = { lists, random, assign };
  const trained = isBranched
    ? await trainByBranches(vectors, sample, { ...means, ...branching })
    : {
        centroids: await trainCentroids(vectors, sample, { ...means, listsMax: LISTS_AT_ONCE_MAX }),
        branches: null,
      };
  // Near lists get near numbers before rows are assigned, so that rows need no second numbering.
  const listOrder = Uint32Array.from({ length: trained.centroids.count }, (_, list) => list);
  likenessOf(trained.centroids, options.scanner)(listOrder);
  const centroids = pickGridVectors(trained.centroids, listOrder);
  const branches =
    trained.branches === null
      ? null
      : await branchesOf(trained.branches, centroids, {
          assign: assignHere(centroids, options.scanner),
          nearLists: branching.nearLists,
        });
  const assigned = await assign({ centroids, branches, rows, listsMax: COPIES_MAX });
  const clustering = {
    ...arrange(likenessOf(vectors, options.scanner), { vectors, centroids, assigned }),
    centroids,
  };
  options.progressed?.(1);
  return clustering;
}

function listsFor({ count, dimensions }: GridVectors): number {
  const most = Math.min(LISTS_MAX, Math.floor(CENTROID_BYTES_MAX / integerBytes(dimensions)));
  return Math.min(most, Math.max(1, Math.round(count / LIST_ROWS)));
}

/** Cuts what is to be assigned into tasks, all of which the caller gets at once. */
function inTasks(assign: AssignRows, progressed: (rows: number) => void): AssignRows {
  return async ({ rows, listsMax, ...task }) => {
    const lists = new Uint16Array(rows.length * listsMax);
    const starts = Array.from({ length: Math.ceil(rows.length / TASK_ROWS) }, (_, task) => task * TASK_ROWS);
    await Promise.all(
      starts.map(async (start) => {
        const part = rows.slice(start, start + TASK_ROWS);
        lists.set(await assign({ ...task, rows: part, listsMax }), start * listsMax);
        progressed(part.length);
      }),
    );
    return lists;
  };
}

function arrange(
  orderByLikeness: OrderByLikeness,
  {
    vectors,
    centroids,
    assigned,
  }: { readonly vectors: GridVectors; readonly centroids: GridVectors; readonly assigned: Uint16Array },
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
    orderByLikeness(order.subarray(homes[list], homes[list + 1]));
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
