import { createLayout } from "../../../vector/layout.ts";
import { integerBytes, toIntegerQuery } from "../../../vector/quantize.ts";
import type { Scanner } from "../../../vector/scan.ts";
import type { GridVectors } from "./dense-vectors.ts";

/** Rows that the kernel holds at once: 1.6 MB at 384 dimensions, which every query scores while a cache has them. */
const CHUNK_ROWS = 4_096;
/** Of the kernel's products in float32, of unit vectors. */
const FLOAT_ERROR = 1e-6;

/** The best scores of one query, best first: among all rows, then among fewer and fewer. */
type Tops = readonly number[][];

interface Query {
  readonly vector: Float32Array;
  readonly rounded: ReturnType<typeof toIntegerQuery>;
  /** The kernel's score, of the query in 16 bits, is no farther from the exact one. */
  readonly errorMax: number;
  readonly tops: Tops;
  /** For each level the kernel's score below which a row of that level changes no top. */
  readonly marks: Float64Array;
}

/**
 * Returns for each query the best scores at each level, as scoring every row tells them.
 *
 * A row of level `n` counts at the levels 0 to `n`. The kernel leaves out what cannot be among the best; the few others are scored exactly.
 */
export function bestScores(
  vectors: GridVectors,
  scanner: Scanner,
  {
    queries,
    levels,
    levelCount,
    top,
  }: {
    /** Of unit length, or less. */
    readonly queries: readonly Float32Array[];
    /** One for each vector. */
    readonly levels: Uint8Array;
    readonly levelCount: number;
    readonly top: number;
  },
): readonly Tops[] {
  const { count, dimensions } = vectors;
  const width = integerBytes(dimensions);
  const kernel = scanner.instantiate();
  const layout = createLayout({ kernel, dimensions, chunkSlots: CHUNK_ROWS, hasCodes: false }, CHUNK_ROWS);
  const chunk = layout.chunks[0];
  if (chunk === undefined) throw new RangeError("expected a chunk for the rows");
  chunk.admitted.fill(0xffff_ffff);
  const asked = queries.map((vector) => queryOf(vector, levelCount));
  for (let from = 0; from < count; from += CHUNK_ROWS) {
    const rows = Math.min(CHUNK_ROWS, count - from);
    chunk.integers.set(vectors.integers.subarray(from * width, (from + rows) * width));
    chunk.scales.set(vectors.scales.subarray(from, from + rows));
    for (const query of asked) {
      layout.queryIntegers.set(query.rounded.integers);
      kernel.begin(0, 0, query.rounded.scale);
      kernel.scoreIntegers(chunk.at);
      for (let at = 0; at < rows; at += 1) {
        const level = levels[from + at] ?? 0;
        if ((chunk.scores[at] ?? 0) < (query.marks[level] ?? 0)) continue;
        keep(query, { score: exactScore(vectors, from + at, query.vector), level, top });
      }
    }
  }
  return asked.map(({ tops }) => tops);
}

function queryOf(vector: Float32Array, levelCount: number): Query {
  const rounded = toIntegerQuery(vector);
  return {
    vector,
    rounded,
    // Each component is off by half a step at most; those of a unit vector sum up to √dimensions at most.
    errorMax: (rounded.scale / 2) * Math.sqrt(vector.length) + FLOAT_ERROR,
    tops: Array.from({ length: levelCount }, () => []),
    marks: new Float64Array(levelCount).fill(-Infinity),
  };
}

function exactScore(
  { dimensions, integers, scales }: GridVectors,
  number: number,
  query: Float32Array,
): number {
  let sum = 0;
  const start = number * integerBytes(dimensions);
  for (let i = 0; i < dimensions; i += 1) sum += (query[i] ?? 0) * (integers[start + i] ?? 0);
  return sum * (scales[number] ?? 0);
}

function keep(
  { tops, marks, errorMax }: Query,
  { score, level, top }: { readonly score: number; readonly level: number; readonly top: number },
): void {
  for (let at = 0; at <= level; at += 1) insert(tops[at] ?? [], score, top);
  // The best among fewer rows are no better: a row of a level is left out by the mark of the narrowest.
  for (let at = 0; at < marks.length; at += 1) {
    const scores = tops[at] ?? [];
    marks[at] = scores.length < top ? -Infinity : (scores.at(-1) ?? 0) - errorMax;
  }
}

function insert(scores: number[], score: number, top: number): void {
  if (scores.length === top && score <= (scores.at(-1) ?? Infinity)) return;
  const at = scores.findIndex((other) => other < score);
  scores.splice(at === -1 ? scores.length : at, 0, score);
  if (scores.length > top) scores.pop();
}
