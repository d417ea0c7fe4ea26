/** Seeded vectors shaped like a corpus of versioned texts, at any count. */
import { normalRandom } from "@kattegat/engine/normal-random.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

export interface ClusteredOptions {
  readonly count: number;
  readonly dimensions: number;
  readonly seed: number;
}

export interface ClusteredSource {
  /** Yields unit vectors row-major, at most `rowsMax` rows at a time: the same rows however they are cut. */
  blocks(rowsMax: number): Generator<Float32Array<ArrayBuffer>>;
  /** Vectors of the same distribution that are not among the rows. */
  queries(count: number): Float32Array[];
}

/** What a leaf of real provisions holds on average; more rows mean more subjects rather than thicker ones. */
const LEAF_ROWS = 400;
const BRANCH_LEAVES = 32;
/** Assumed: in a body of law with its versions some passages are equal, more differ by a word. */
const DUPLICATE_SHARE = 0.05;
const NEAR_DUPLICATE_SHARE = 0.3;
const NEAR_DUPLICATE_NOISE = 0.08;
/** Versions are filed near each other: a copy is of one of so many rows before it. */
const RECENT_ROWS = 512;
/** Relative sizes of what tells branches, leaves of a branch, rows of a leaf apart. */
const BRANCH_SPREAD = 1;
const LEAF_SPREAD = 0.8;
const ROW_SPREAD = 0.7;
/** Variance of component i falls as 1/(i + 1), as the singular values of text do: 384 equal ones would have no neighbourhoods. */
const SPECTRUM_EXPONENT = 0.5;
/** Sums of two slices of this many normal numbers give 2^40 noises without a logarithm for each component. */
const TABLE_NUMBERS = 2 ** 20;

/** Rows come from `count`, `dimensions` and `seed` alone; memory does not grow with the count. */
export function createClusteredSource(options: ClusteredOptions): ClusteredSource {
  const { count, dimensions, seed } = options;
  const table = normalNumbers(TABLE_NUMBERS + dimensions, seededRandom(seed));
  const spectrum = Float32Array.from({ length: dimensions }, (_, i) => (i + 1) ** -SPECTRUM_EXPONENT);
  const leaves = Math.max(1, Math.round(count / LEAF_ROWS));

  /** Adds a noise that the two offsets name. */
  function add(to: Float32Array, spread: number, first: number, second: number): void {
    const scale = spread * Math.SQRT1_2;
    for (let i = 0; i < dimensions; i += 1)
      to[i] =
        (to[i] ?? 0) + scale * (spectrum[i] ?? 0) * ((table[first + i] ?? 0) + (table[second + i] ?? 0));
  }

  function draw(row: Float32Array, random: () => number): void {
    // The square makes low-numbered leaves thick and high-numbered ones thin.
    const leaf = Math.floor(random() ** 2 * leaves);
    const branch = Math.floor(leaf / BRANCH_LEAVES);
    row.fill(0);
    add(row, BRANCH_SPREAD, offsetOf(branch, 1), offsetOf(branch, 2));
    add(row, LEAF_SPREAD, offsetOf(leaf, 3), offsetOf(leaf, 4));
    add(row, ROW_SPREAD, offset(random), offset(random));
    normalise(row);
  }

  function* rows(): Generator<Float32Array> {
    const random = seededRandom(seed ^ 0x5bd1e995);
    const recent = new Float32Array(Math.min(RECENT_ROWS, count) * dimensions);
    for (let at = 0; at < count; at += 1) {
      const slot = at % RECENT_ROWS;
      const row = recent.subarray(slot * dimensions, (slot + 1) * dimensions);
      const kind = random();
      if (at < RECENT_ROWS || kind >= DUPLICATE_SHARE + NEAR_DUPLICATE_SHARE) draw(row, random);
      else {
        const from = Math.floor(random() * RECENT_ROWS);
        row.set(recent.subarray(from * dimensions, (from + 1) * dimensions));
        if (kind >= DUPLICATE_SHARE) {
          add(row, NEAR_DUPLICATE_NOISE, offset(random), offset(random));
          normalise(row);
        }
      }
      yield row;
    }
  }

  return {
    *blocks(rowsMax) {
      let block = new Float32Array(Math.min(rowsMax, count) * dimensions);
      let filled = 0;
      for (const row of rows()) {
        block.set(row, filled * dimensions);
        filled += 1;
        if (filled === rowsMax) {
          yield block;
          block = new Float32Array(rowsMax * dimensions);
          filled = 0;
        }
      }
      if (filled > 0) yield block.slice(0, filled * dimensions);
    },
    queries(wanted) {
      const random = seededRandom(seed ^ 0x1b873593);
      return Array.from({ length: wanted }, () => {
        const query = new Float32Array(dimensions);
        draw(query, random);
        return query;
      });
    },
  };
}

function offset(random: () => number): number {
  return Math.floor(random() * TABLE_NUMBERS);
}

/** Spreads the number over the table (the finaliser of MurmurHash3, Appleby). */
function offsetOf(number: number, salt: number): number {
  let mixed = Math.imul(number ^ (salt * 0x9e3779b9), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0) % TABLE_NUMBERS;
}

function normalise(row: Float32Array): void {
  let square = 0;
  for (let i = 0; i < row.length; i += 1) square += (row[i] ?? 0) ** 2;
  const factor = square === 0 ? 0 : 1 / Math.sqrt(square);
  for (let i = 0; i < row.length; i += 1) row[i] = (row[i] ?? 0) * factor;
}

function normalNumbers(length: number, random: () => number): Float32Array {
  return Float32Array.from({ length }, () => normalRandom(random));
}
