import { createBitmap, forEachBit, hasBit, setBit } from "../../../index/bitmap.ts";
import { lengthOf } from "../../../vector/vector-store.ts";
import { budgetOf } from "./dense-budget.ts";
import { bestRows, type Estimates } from "./dense-candidates.ts";
import { decodeDirectory, type DenseDirectory } from "./dense-directory.ts";
import { expectedAt } from "./expected-recall.ts";
import { createEstimator, scoreCentroids } from "./dense-estimator.ts";
import { admittedByList, chooseProbes, type ProbeBudget } from "./dense-probes.ts";
import { createRescorer, homeOf, type Rescorer } from "./dense-rescorer.ts";
import { rowBlockBytes } from "./dense-rows.ts";
import { eachOf, spansOf, type BlockSpan, type SpanBudget } from "./dense-spans.ts";
import { readGridVector } from "./dense-vectors.ts";
import { decodeListCodes } from "./list-codes.ts";
import type { DenseAnswer, DenseIndex, DenseSearchOptions } from "../parts.ts";
import type { Sections } from "../section-file.ts";

type SearchOptions = DenseSearchOptions;

/** What a search knows before it reads. */
interface Search {
  readonly directory: DenseDirectory;
  readonly query: Float32Array;
  /** Products of the query with the centroids. */
  readonly scores: Float32Array;
  /** Admitted rows at home in each list. */
  readonly admitted: Uint32Array;
  readonly options: SearchOptions;
}

/** Of the texts of 32 provisions of Danish law: budgets were chosen with them. */
const BESIDE_BYTES_USUAL = 5_120;
/** An entry of `encodePieces`. */
const PIECE_TABLE_BYTES = 16;
/** Five numbers of a list as stored, five as decoded. */
const LIST_TABLE_BYTES = 40;
/** Rounding of sums in float32 must not make a bound too tight. */
const COSINE_SLACK = 1e-6;
const BOUND_SLACK = 1e-5;

/** Opens the dense half of a base. @throws {ColdFormatError} when the sections do not fit together. */
export function openDense(sections: Sections): DenseIndex {
  const directory = decodeDirectory(sections);
  const { lists, centroids, codePieces, rowPieces } = directory;
  return {
    rows: directory.rows,
    blocks: rowPieces.count,
    residentBytes:
      centroids.integers.byteLength +
      (codePieces.count + rowPieces.count) * PIECE_TABLE_BYTES +
      lists.count * LIST_TABLE_BYTES,
    lists: {
      count: lists.count,
      centroids: () => centroidsOf(directory),
      piece: (list) => codePieces.at(list),
    },
    search: (query, options) => search(directory, query, options),
  };
}

async function search(
  directory: DenseDirectory,
  query: Float32Array,
  options: SearchOptions,
): Promise<DenseAnswer> {
  const { dimensions } = directory.centroids;
  if (query.length !== dimensions)
    throw new RangeError(`expected a query of ${dimensions} dimensions, got ${query.length}`);
  const admitted = admittedByList(directory, options.admitted);
  const scores = scoreCentroids(query, directory);
  const now = { directory, query, scores, admitted, options };
  const admittedRows = admitted.reduce((sum, count) => sum + count, 0);
  const share = directory.rows > 0 ? admittedRows / directory.rows : 1;
  const { readsMax = () => Infinity } = options;
  const budget = budgetOf({
    rows: directory.rows,
    admittedRows,
    wanted: options.wanted,
    probes: options.probes,
    near: options.near === true,
    codeReadsMax: readsMax("codes"),
  });
  const chosen =
    budget.probes === null
      ? { lists: [], reads: 0, bytes: 0 }
      : chooseProbes(directory, { scores: unitOf(now), admitted, budget: budget.probes });
  const probes = chosen.lists;
  const listed = budget.probes === null ? estimateByHome(now, admittedRows) : await readLists(now, probes);
  const best = bestRows(listed, { wanted: budget.candidates, groupOf: options.groupOf });
  const blocks = best.map((row) => Math.floor(row / directory.rowsPerBlock));
  const rescorer = createRescorer(directory, query, options);
  const spans =
    budget.spans === null
      ? eachOf(blocks)
      : spansOf(blocks, {
          ...withSpare({ probes: budget.probes, spans: budget.spans }, chosen, {
            directory,
            besideBytes: options.beside?.meanBytes ?? 0,
          }),
          readsMax: readsMax("rows"),
        });
  const lost = await readSpans(now, rescorer, spans);
  const hits = rescorer.best();
  const mark = hits.length < options.wanted ? -Infinity : (hits.at(-1)?.score ?? Infinity);
  const exact = isExact(now, rescorer, mark);
  const missing = listed.missing + lost;
  return {
    hits,
    blocks: probes.length,
    lists: probes,
    missing,
    exact,
    // What was measured is of searches that could read everything.
    expectedRecall: exact ? 1 : missing > 0 ? null : expectedAt(directory.recall, share),
  };
}

/** What the codes did not need of their budget, since lists lay side by side or were few, is spent on rows; long texts beside them make these fewer. */
function withSpare(
  { probes, spans }: { readonly probes: ProbeBudget | null; readonly spans: SpanBudget },
  used: { readonly reads: number; readonly bytes: number },
  { directory, besideBytes }: { readonly directory: DenseDirectory; readonly besideBytes: number },
): SpanBudget {
  const rowBytes = rowBlockBytes(directory.rowsPerBlock, directory.centroids.dimensions);
  const share = Math.min(1, (rowBytes + BESIDE_BYTES_USUAL) / (rowBytes + besideBytes));
  if (probes === null || probes.readsMax === Infinity)
    return { ...spans, blocksMax: Math.ceil(spans.blocksMax * share) };
  const spareBlocks = Math.max(0, (probes.bytesMax - used.bytes) / rowBytes);
  return {
    ...spans,
    spansMax: spans.spansMax + Math.max(0, probes.readsMax - used.reads),
    blocksMax: Math.ceil(spans.blocksMax * share) + Math.floor(spareBlocks * share),
  };
}

function centroidsOf({ centroids }: DenseDirectory): Float32Array {
  const { count, dimensions } = centroids;
  const all = new Float32Array(count * dimensions);
  for (let list = 0; list < count; list += 1)
    readGridVector(centroids, list, all.subarray(list * dimensions, (list + 1) * dimensions));
  return all;
}

/** The products with the centroids as if the query had unit length. */
function unitOf({ query, scores }: Search): Float32Array {
  const length = lengthOf(query);
  return scores.map((score) => (length > 0 ? score / length : 0));
}

/** Reads the codes of lists and estimates each admitted row once, however many copies of it were read. */
async function readLists(
  now: Search,
  probes: readonly number[],
): Promise<Estimates & { readonly missing: number }> {
  const { directory, options } = now;
  const { lists, centroids, codePieces } = directory;
  const estimator = createEstimator(now.query, now.scores, directory);
  const pieces = await options.read(probes.map((list) => codePieces.at(list)));
  const total = probes.reduce((sum, list) => sum + (lists.entries[list] ?? 0), 0);
  const rows = new Uint32Array(total);
  const scores = new Float32Array(total);
  const seen = createBitmap(directory.rows);
  let count = 0;
  let missing = 0;
  const isWanted = (row: number): boolean =>
    !hasBit(seen, row) && (options.admitted === null || hasBit(options.admitted, row));
  const add = (row: number, score: number): void => {
    setBit(seen, row);
    rows[count] = row;
    scores[count] = score;
    count += 1;
  };
  for (let at = 0; at < probes.length; at += 1) {
    const list = probes[at] ?? 0;
    const bytes = pieces[at] ?? null;
    if (bytes === null) {
      missing += 1;
      continue;
    }
    const codes = decodeListCodes(bytes, {
      dimensions: centroids.dimensions,
      entries: lists.entries[list] ?? 0,
      start: lists.starts[list] ?? 0,
      end: lists.starts[list + 1] ?? 0,
    });
    estimator.estimate(codes, isWanted, add);
  }
  return { count, rows, scores, missing };
}

/** Estimates the few admitted rows by their home lists alone, so that no codes need be read. */
function estimateByHome(now: Search, admittedRows: number): Estimates & { readonly missing: number } {
  const { lists, rows: rowCount } = now.directory;
  const rows = new Uint32Array(admittedRows);
  const scores = new Float32Array(admittedRows);
  let count = 0;
  const add = (row: number) => {
    const home = homeOf(lists.starts, row);
    rows[count] = row;
    scores[count] = (now.scores[home] ?? 0) * (lists.means[home] ?? 0);
    count += 1;
  };
  if (now.options.admitted === null) for (let row = 0; row < rowCount; row += 1) add(row);
  else forEachBit(now.options.admitted, add);
  return { count, rows, scores, missing: 0 };
}

/** Reads the blocks of the spans and scores their rows; resolves with how many could not be read. */
async function readSpans(now: Search, rescorer: Rescorer, spans: readonly BlockSpan[]): Promise<number> {
  const blocks = spans.flatMap(({ first, last }) =>
    Array.from({ length: last - first + 1 }, (_, at) => first + at),
  );
  const { beside = null, read } = now.options;
  const pieces = await read([
    ...blocks.map((block) => now.directory.rowPieces.at(block)),
    ...(beside === null ? [] : blocks.map(beside.at)),
  ]);
  let missing = 0;
  blocks.forEach((block, at) => {
    const bytes = pieces[at] ?? null;
    if (bytes === null) missing += 1;
    else rescorer.take(block, bytes);
  });
  return missing;
}

/**
 * Whether no row that was not scored can reach `mark`.
 *
 * On the sphere angles obey the triangle inequality: a row within the angle r of its centroid is at least the query's angle
 * with the centroid less r away from the query.
 */
function isExact(now: Search, { scoredByList }: Rescorer, mark: number): boolean {
  const { lists, longest } = now.directory;
  const longestScore = lengthOf(now.query) * longest;
  const unit = unitOf(now);
  for (let list = 0; list < lists.count; list += 1) {
    if ((scoredByList[list] ?? 0) >= (now.admitted[list] ?? 0)) continue;
    const toCentroid = Math.acos(Math.min(1, Math.max(-1, (unit[list] ?? 0) + COSINE_SLACK)));
    const radius = Math.acos(Math.min(1, Math.max(-1, lists.lowest[list] ?? 0)));
    const bound = longestScore * Math.max(0, Math.cos(Math.max(0, toCentroid - radius))) + BOUND_SLACK;
    if (bound >= mark) return false;
  }
  return true;
}
