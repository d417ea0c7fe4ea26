/** How much of the true top a base's dense searches find, measured on the base itself when it is made. */
import { createBitmap, setBit } from "../../../index/bitmap.ts";
import type { Scanner } from "../../../vector/scan.ts";
import type { DenseIndex } from "../parts.ts";
import type { ReadPieces } from "../piece.ts";
import { bestScores } from "./best-scores.ts";
import { readGridVector, type GridVectors } from "./dense-vectors.ts";
import { seededRandom } from "../../../seeded-random.ts";

/** What is found of the ten nearest when a filter keeps this share of the rows. */
export interface ExpectedRecall {
  readonly share: number;
  readonly recall: number;
}

/** No filter, one that keeps a tenth, a hundredth; each row that the narrower one keeps the wider one keeps as well. */
export const MEASURED_SHARES = [1, 0.1, 0.01] as const;
/** The standard error of a recall near 0.95 is then some 0.01. */
const QUERIES = 96;
const TOP = 10;
/** As the edge asks for a page of ten. */
const WANTED = 100;
/**
 * A query is a passage moved as far as it is long along the difference of two others, which is noise spread as the corpus is. Its cosine with
 * the passage is 0.71: eight words in a row of 20,000 provisions score 0.70 with the best of them.
 */
const NOISE = 1;
/** Sums in another order differ by less. */
const TIE = 1e-5;

/** Searches for moved passages, without a filter and among random shares of the rows; the same for the same base. */
export async function measureRecall(
  index: Pick<DenseIndex, "search">,
  {
    vectors,
    order,
    scanner,
    read,
  }: {
    readonly vectors: GridVectors;
    readonly order: Uint32Array;
    readonly scanner: Scanner;
    readonly read: ReadPieces;
  },
): Promise<readonly ExpectedRecall[]> {
  if (vectors.count === 0) return [];
  const random = seededRandom(1);
  const draws = Float64Array.from({ length: vectors.count }, random);
  const queries = Array.from({ length: QUERIES }, () => movedPassage(vectors, random));
  const levels = levelsOf(draws, order);
  const truths = bestScores(vectors, scanner, {
    queries,
    levels,
    levelCount: MEASURED_SHARES.length,
    top: TOP,
  });
  const measured: ExpectedRecall[] = [];
  for (const [at, share] of MEASURED_SHARES.entries()) {
    const admitted = share === 1 ? null : admittedOf(draws, share);
    let found = 0;
    let wanted = 0;
    for (const [query, vector] of queries.entries()) {
      const truth = truths[query]?.[at] ?? [];
      const worst = truth.at(-1) ?? Infinity;
      const { hits } = await index.search(vector, {
        wanted: WANTED,
        admitted,
        groupOf: null,
        probes: null,
        read,
      });
      found += hits.slice(0, truth.length).filter(({ score }) => score >= worst - TIE).length;
      wanted += truth.length;
    }
    if (wanted > 0) measured.push({ share, recall: found / wanted });
  }
  return measured;
}

/** What to expect for a share between two that were measured: recall falls with its logarithm; null when nothing was. */
export function expectedAt(measured: readonly ExpectedRecall[], share: number): number | null {
  const wider = measured.findLast((each) => each.share >= share) ?? measured[0];
  const narrower = measured.find((each) => each.share < share) ?? measured.at(-1);
  if (wider === undefined || narrower === undefined) return null;
  if (wider.share <= narrower.share) return narrower.recall;
  const part = Math.log(wider.share / share) / Math.log(wider.share / narrower.share);
  return wider.recall + part * (narrower.recall - wider.recall);
}

function movedPassage(vectors: GridVectors, random: () => number): Float32Array {
  const draw = (): Float32Array => {
    const vector = new Float32Array(vectors.dimensions);
    readGridVector(vectors, Math.floor(random() * vectors.count), vector);
    return vector;
  };
  const [passage, from, to] = [draw(), draw(), draw()];
  const noise = unit(to.map((value, i) => value - (from[i] ?? 0)));
  return unit(passage.map((value, i) => value + NOISE * (noise[i] ?? 0)));
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return length > 0 ? vector.map((value) => value / length) : vector;
}

function admittedOf(draws: Float64Array, share: number): ReturnType<typeof createBitmap> {
  const admitted = createBitmap(draws.length);
  for (let row = 0; row < draws.length; row += 1) if ((draws[row] ?? 1) < share) setBit(admitted, row);
  return admitted;
}

/** For each row the narrowest share that keeps it. */
function levelsOf(draws: Float64Array, order: Uint32Array): Uint8Array {
  const levels = new Uint8Array(order.length);
  for (let row = 0; row < order.length; row += 1)
    levels[order[row] ?? 0] = MEASURED_SHARES.findLastIndex((share) => (draws[row] ?? 1) < share);
  return levels;
}
