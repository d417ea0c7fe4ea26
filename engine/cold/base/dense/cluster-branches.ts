import { integerBytes } from "../../../vector/quantize.ts";
import { seededRandom } from "../../../seeded-random.ts";
import type { Branches } from "./branch-finder.ts";
import type { AssignRows } from "./cluster-assignment.ts";
import { someOf, trainCentroids } from "./cluster-means.ts";
import type { GridVectors } from "./dense-vectors.ts";

/** How lists are shared out to branches. */
export interface Branching {
  /** In the mean at home in a branch. */
  readonly branchLists: number;
  /** Compared with a row in the mean: those of the branches nearest to it. */
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
  const homes = await assign({ centroids: branches, branches: null, rows: sample, listsMax: 1 });
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

/** Returns each branch with the lists that are nearest to it among all branches. */
export async function branchesOf(
  branches: GridVectors,
  centroids: GridVectors,
  { assign, nearLists }: { readonly assign: AssignRows; readonly nearLists: number },
): Promise<Branches> {
  const lists = Uint32Array.from({ length: centroids.count }, (_, list) => list);
  const homes = await assign({ centroids: branches, branches: null, rows: lists, listsMax: 1 });
  const nearBranches = Math.ceil((nearLists * branches.count) / Math.max(1, centroids.count));
  return {
    centroids: branches,
    lists: partsOf(lists, homes, branches.count).map((part) => Uint16Array.from(part)),
    nearBranches,
  };
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
