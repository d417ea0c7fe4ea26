import { integerBytes } from "../../../vector/quantize.ts";
import { seededRandom } from "../../../seeded-random.ts";
import { NO_LIST, type AssignRows, type AssignTask } from "./cluster-assignment.ts";
import { someOf, trainCentroids } from "./cluster-means.ts";
import { pickGridVectors, type GridVectors } from "./dense-vectors.ts";

/** Lists of a large base are not all compared with a row, but those near the branch that the row is nearest to. */
export interface Branches {
  readonly centroids: GridVectors;
  /** For each branch the numbers of the lists near it, ascending. */
  readonly lists: readonly Uint32Array[];
}

/** How lists are shared out to branches. */
export interface Branching {
  /** In the mean at home in a branch. */
  readonly branchLists: number;
  /** Compared with a row: those at home in its branch, and the nearest others. */
  readonly nearLists: number;
}

/** Rows in the mean that a branch's centroid is made of. */
const BRANCH_SAMPLE = 128;
/** Work that is handed out at once: so many branches' vectors of lists are in memory. */
const BRANCHES_AT_ONCE = 8;

/** Returns centroids of branches over the sample, then of lists within each. */
export async function trainByBranches(
  vectors: GridVectors,
  sample: Uint32Array,
  options: Branching & {
    readonly lists: number;
    readonly random: () => number;
    readonly assign: AssignRows;
  },
): Promise<{ readonly branches: GridVectors; readonly centroids: GridVectors }> {
  const { lists, random, assign } = options;
  const count = Math.max(1, Math.round(lists / options.branchLists));
  const branches = await trainCentroids(vectors, someOf(sample, count * BRANCH_SAMPLE, random), {
    lists: count,
    listsMax: 2 * count,
    random,
    assign,
  });
  const homes = await assign({ centroids: branches, rows: sample, listsMax: 1 });
  const parts = partsOf(sample, homes, branches.count);
  // One generator for each branch: the order in which threads finish must not matter.
  const seeds = parts.map(() => Math.floor(random() * 2 ** 32));
  const trained: GridVectors[] = [];
  await eachBranch(parts, async (part, branch) => {
    if (part.length === 0) return;
    const wanted = Math.max(1, Math.round((part.length * lists) / sample.length));
    trained[branch] = await trainCentroids(vectors, part, {
      lists: wanted,
      listsMax: 2 * wanted,
      random: seededRandom(seeds[branch] ?? 0),
      assign,
    });
  });
  return { branches, centroids: concatenated(trained.filter(Boolean), vectors.dimensions) };
}

/** Returns for each branch the lists that a row of it is compared with. */
export function branchesOf(
  branches: GridVectors,
  centroids: GridVectors,
  { nearLists }: Branching,
): Branches {
  const scores = Array.from({ length: branches.count }, (_, branch) =>
    Float32Array.from({ length: centroids.count }, (__, list) => dotOf(branches, branch, centroids, list)),
  );
  const best = new Float32Array(centroids.count).fill(-Infinity);
  for (const row of scores)
    for (let list = 0; list < row.length; list += 1) best[list] = Math.max(best[list] ?? 0, row[list] ?? 0);
  const lists = scores.map((row) => {
    // A list at home in the branch comes first, however far it is.
    const ranks = row.map((score, list) => (score === best[list] ? Infinity : score));
    const order = Uint32Array.from({ length: centroids.count }, (_, list) => list);
    order.sort((a, b) => (ranks[a] === ranks[b] ? a - b : (ranks[b] ?? 0) - (ranks[a] ?? 0)));
    return order.slice(0, nearLists).sort();
  });
  return { centroids: branches, lists };
}

/** Assigns rows as `assign` does, each to lists near its branch. */
export async function assignByBranches(
  { branches, assign }: { readonly branches: Branches; readonly assign: AssignRows },
  { centroids, rows, listsMax }: AssignTask,
): Promise<Uint16Array> {
  const found = new Uint16Array(rows.length * listsMax).fill(NO_LIST);
  const homes = await assign({ centroids: branches.centroids, rows, listsMax: 1 });
  const places = Uint32Array.from(rows, (_, at) => at);
  await eachBranch(partsOf(places, homes, branches.centroids.count), async (part, branch) => {
    const near = branches.lists[branch] ?? new Uint32Array(0);
    const lists = await assign({
      centroids: pickGridVectors(centroids, near),
      rows: part.map((place) => rows[place] ?? 0),
      listsMax,
    });
    for (let at = 0; at < lists.length; at += 1) {
      const list = lists[at] ?? NO_LIST;
      if (list === NO_LIST) continue;
      const place = part[Math.floor(at / listsMax)] ?? 0;
      found[place * listsMax + (at % listsMax)] = near[list] ?? NO_LIST;
    }
  });
  return found;
}

async function eachBranch(
  parts: readonly Uint32Array[],
  work: (part: Uint32Array, branch: number) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < parts.length; from += BRANCHES_AT_ONCE)
    await Promise.all(parts.slice(from, from + BRANCHES_AT_ONCE).map((part, at) => work(part, from + at)));
}

/** Groups items by their homes, in their order. */
function partsOf(items: Uint32Array, homes: Uint16Array, count: number): Uint32Array[] {
  const sizes = new Uint32Array(count);
  for (const home of homes) sizes[home] = (sizes[home] ?? 0) + 1;
  const parts = Array.from(sizes, (size) => new Uint32Array(size));
  const next = new Uint32Array(count);
  for (let at = 0; at < items.length; at += 1) {
    const home = homes[at] ?? 0;
    const place = next[home] ?? 0;
    (parts[home] ?? items)[place] = items[at] ?? 0;
    next[home] = place + 1;
  }
  return parts;
}

function concatenated(all: readonly GridVectors[], dimensions: number): GridVectors {
  const count = all.reduce((sum, each) => sum + each.count, 0);
  const integers = new Int8Array(count * integerBytes(dimensions));
  const scales = new Float32Array(count);
  let at = 0;
  for (const each of all) {
    integers.set(each.integers, at * integerBytes(dimensions));
    scales.set(each.scales, at);
    at += each.count;
  }
  return { count, dimensions, integers, scales };
}

function dotOf(left: GridVectors, leftAt: number, right: GridVectors, rightAt: number): number {
  const width = integerBytes(left.dimensions);
  const [leftFrom, rightFrom] = [leftAt * width, rightAt * width];
  let sum = 0;
  for (let i = 0; i < width; i += 1)
    sum += (left.integers[leftFrom + i] ?? 0) * (right.integers[rightFrom + i] ?? 0);
  return sum * (left.scales[leftAt] ?? 0) * (right.scales[rightAt] ?? 0);
}
