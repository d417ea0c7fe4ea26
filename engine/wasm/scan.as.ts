/**
 * The SIMD kernel that scores and selects slots (AssemblyScript, not TypeScript).
 *
 * Memory starts with one query, two float rows and a histogram; chunks follow, each with the columns of its slots.
 * A slot is admitted when its bit in the column `admitted` is set; every other slot scores -Infinity, so later
 * steps need no second look at the filter. Bucket `b` counts scores from low + b / bucketsPerUnit.
 */

const BUCKETS: i32 = 4096;
const REFUSED: f32 = -Infinity;

let dimensions: i32 = 0;
let slots: i32 = 0;
let codeBytes: i32 = 0;
let integerBytes: i32 = 0;
let low: f32 = 0;
let bucketsPerUnit: f32 = 0;
let queryScale: f32 = 0;

// Query side, from the start of memory.
let queryFloats: usize = 0;
let rowFloats: usize = 0;
let queryIntegers: usize = 0;
let queryCode: usize = 0;
let histogram: usize = 0;
let chunks: usize = 0;

// Columns, from the start of a chunk.
let codes: usize = 0;
let integers: usize = 0;
let factors: usize = 0;
let scales: usize = 0;
let admitted: usize = 0;
let scores: usize = 0;
let list: usize = 0;
let chunkBytes: usize = 0;

/** Lays out memory for chunks of `chunkSlots` slots, a multiple of 32; the place of each part is then given by `part`. */
export function configure(vectorDimensions: i32, chunkSlots: i32, hasCodes: bool): void {
  dimensions = vectorDimensions;
  slots = chunkSlots;
  integerBytes = (dimensions + 15) & ~15;
  codeBytes = hasCodes ? ((dimensions + 127) & ~127) >> 3 : 0;
  queryFloats = (__heap_base + 15) & ~15;
  rowFloats = queryFloats + integerBytes * 4;
  queryIntegers = rowFloats + integerBytes * 4;
  queryCode = queryIntegers + integerBytes * 2;
  histogram = queryCode + codeBytes;
  chunks = histogram + BUCKETS * 4;
  codes = 0;
  integers = codes + slots * codeBytes;
  factors = integers + slots * integerBytes;
  scales = factors + (hasCodes ? slots * 4 : 0);
  admitted = scales + slots * 4;
  scores = admitted + (slots >> 3);
  list = scores + slots * 4;
  chunkBytes = (list + slots * 4 + 15) & ~15;
}

/** Returns a place by its number in `PARTS` of `vector/layout.ts`: bytes from the start of memory or of a chunk. */
export function part(number: i32): usize {
  switch (number) {
    case 0: return queryFloats;
    case 1: return rowFloats;
    case 2: return queryIntegers;
    case 3: return queryCode;
    case 4: return histogram;
    case 5: return chunks;
    case 6: return codes;
    case 7: return integers;
    case 8: return factors;
    case 9: return scales;
    case 10: return admitted;
    case 11: return scores;
    case 12: return list;
    case 13: return chunkBytes;
    default: return 0;
  }
}

/** Starts a pass: scores are counted from `lowest`, int8 scores are multiplied by `scale`. */
export function begin(lowest: f32, perUnit: f32, scale: f32): void {
  low = lowest;
  bucketsPerUnit = perUnit;
  queryScale = scale;
  memory.fill(histogram, 0, BUCKETS * 4);
}

// @ts-ignore: decorator
@inline
function sumLanes(lanes: v128): i32 {
  const pairs = i32x4.add(lanes, i8x16.shuffle(lanes, lanes, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
  return i32x4.extract_lane(pairs, 0) + i32x4.extract_lane(pairs, 1);
}

// @ts-ignore: decorator
@inline
function countBucket(score: f32): void {
  const bucket = <i32>max<f32>(0, min<f32>(<f32>(BUCKETS - 1), (score - low) * bucketsPerUnit));
  const cell = histogram + (<usize>bucket << 2);
  store<u32>(cell, load<u32>(cell) + 1);
}

// @ts-ignore: decorator
@inline
function isAdmitted(admitted: usize, slot: i32): bool {
  return ((load<u32>(admitted + ((<usize>slot >> 5) << 2)) >> (slot & 31)) & 1) != 0;
}

// @ts-ignore: decorator
@inline
function hamming(code: usize, query: usize, bytes: i32): i32 {
  let sum = i16x8.splat(0);
  for (let at = 0; at < bytes; at += 16) {
    const differing = v128.xor(v128.load(code + at), v128.load(query + at));
    sum = i16x8.add(sum, i16x8.extadd_pairwise_i8x16_u(i8x16.popcnt(differing)));
  }
  return sumLanes(i32x4.extadd_pairwise_i16x8_u(sum));
}

// @ts-ignore: decorator
@inline
function integerDot(vector: usize, query: usize, bytes: i32): i32 {
  let sum = i32x4.splat(0);
  for (let at = 0; at < bytes; at += 16) {
    const packed = v128.load(vector + at);
    const queryAt = query + (at << 1);
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(packed), v128.load(queryAt)));
    sum = i32x4.add(sum, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(packed), v128.load(queryAt, 16)));
  }
  return sumLanes(sum);
}

/** Scores a chunk's slots by their one-bit codes: (dimensions - 2 * hamming) * factor. */
export function scoreBits(chunk: usize): void {
  for (let slot = 0; slot < slots; slot++) {
    let score = REFUSED;
    if (isAdmitted(chunk + admitted, slot)) {
      const distance = hamming(chunk + codes + <usize>slot * codeBytes, queryCode, codeBytes);
      score = <f32>(dimensions - 2 * distance) * load<f32>(chunk + factors + (<usize>slot << 2));
      countBucket(score);
    }
    store<f32>(chunk + scores + (<usize>slot << 2), score);
  }
}

// @ts-ignore: decorator
@inline
function integerScore(chunk: usize, slot: usize): f32 {
  const dot = integerDot(chunk + integers + slot * integerBytes, queryIntegers, integerBytes);
  return <f32>dot * load<f32>(chunk + scales + (slot << 2)) * queryScale;
}

/** Scores a chunk's slots by their int8 vectors: integer dot * scale of the slot * scale of the query. */
export function scoreIntegers(chunk: usize): void {
  for (let slot = 0; slot < slots; slot++) {
    let score = REFUSED;
    if (isAdmitted(chunk + admitted, slot)) {
      score = integerScore(chunk, slot);
      countBucket(score);
    }
    store<f32>(chunk + scores + (<usize>slot << 2), score);
  }
}

/** Scores the first `listed` slots of the chunk's list as `scoreIntegers` does; the others keep their scores. */
export function scoreListed(chunk: usize, listed: i32): void {
  for (let at = 0; at < listed; at++) {
    const slot = load<u32>(chunk + list + (<usize>at << 2));
    const score = integerScore(chunk, slot);
    countBucket(score);
    store<f32>(chunk + scores + (<usize>slot << 2), score);
  }
}

/** Lists the chunk's slots that score at least `threshold`, ascending; returns how many. */
export function collect(chunk: usize, threshold: f32): i32 {
  const thresholds = f32x4.splat(threshold);
  let listed: usize = 0;
  for (let slot = 0; slot < slots; slot += 4) {
    const mask = i32x4.bitmask(f32x4.ge(v128.load(chunk + scores + (<usize>slot << 2)), thresholds));
    if (mask == 0) continue;
    for (let lane = 0; lane < 4; lane++) {
      if ((mask >> lane) & 1) store<u32>(chunk + list + (listed++ << 2), slot + lane);
    }
  }
  return <i32>listed;
}

/** Keeps those of the first `listed` slots of the list that score at least `threshold`; returns how many. */
export function collectListed(chunk: usize, listed: i32, threshold: f32): i32 {
  let kept: usize = 0;
  for (let at = 0; at < listed; at++) {
    const slot = load<u32>(chunk + list + (<usize>at << 2));
    if (load<f32>(chunk + scores + (<usize>slot << 2)) >= threshold) {
      store<u32>(chunk + list + (kept++ << 2), slot);
    }
  }
  return <i32>kept;
}

/** The dot product of the two float rows, summed in four float64 lanes: (0+2)+(1+3) of each quad. */
export function dot(): f64 {
  let lanes02 = f64x2.splat(0);
  let lanes13 = f64x2.splat(0);
  const bytes = integerBytes << 2;
  for (let at = 0; at < bytes; at += 16) {
    const a = v128.load(queryFloats + at);
    const b = v128.load(rowFloats + at);
    lanes02 = f64x2.add(lanes02, f64x2.mul(f64x2.promote_low_f32x4(a), f64x2.promote_low_f32x4(b)));
    const aHigh = i8x16.shuffle(a, a, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    const bHigh = i8x16.shuffle(b, b, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
    lanes13 = f64x2.add(lanes13, f64x2.mul(f64x2.promote_low_f32x4(aHigh), f64x2.promote_low_f32x4(bHigh)));
  }
  const sum = f64x2.add(lanes02, lanes13);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}
