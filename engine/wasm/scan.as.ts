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
function countAt(bucket: i32): void {
  const cell = histogram + (<usize>bucket << 2);
  store<u32>(cell, load<u32>(cell) + 1);
}

// @ts-ignore: decorator
@inline
function sumsOf(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 1, 4, 5), v128.shuffle<i32>(a, b, 2, 3, 6, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 1, 4, 5), v128.shuffle<i32>(c, d, 2, 3, 6, 7));
  return i32x4.add(v128.shuffle<i32>(ab, cd, 0, 2, 4, 6), v128.shuffle<i32>(ab, cd, 1, 3, 5, 7));
}

/** The four admission bits of the slots from `slot`, a multiple of four. */
// @ts-ignore: decorator
@inline
function admittedQuad(chunk: usize, slot: i32): i32 {
  return (load<u8>(chunk + admitted + (<usize>slot >> 3)) >> (slot & 4)) & 15;
}

/** Stores the scores of four slots and counts those that are admitted. */
// @ts-ignore: decorator
@inline
function storeQuad(chunk: usize, slot: i32, quad: i32, found: v128): void {
  const at = chunk + scores + (<usize>slot << 2);
  const above = f32x4.mul(f32x4.sub(found, f32x4.splat(low)), f32x4.splat(bucketsPerUnit));
  const buckets = i32x4.min_s(i32x4.max_s(i32x4.trunc_sat_f32x4_s(above), i32x4.splat(0)), i32x4.splat(BUCKETS - 1));
  if (quad == 15) {
    v128.store(at, found);
    countAt(i32x4.extract_lane(buckets, 0));
    countAt(i32x4.extract_lane(buckets, 1));
    countAt(i32x4.extract_lane(buckets, 2));
    countAt(i32x4.extract_lane(buckets, 3));
    return;
  }
  const bits = v128.and(i32x4.splat(quad), i32x4(1, 2, 4, 8));
  v128.store(at, v128.bitselect(f32x4.splat(REFUSED), found, i32x4.eq(bits, i32x4.splat(0))));
  if (quad & 1) countAt(i32x4.extract_lane(buckets, 0));
  if (quad & 2) countAt(i32x4.extract_lane(buckets, 1));
  if (quad & 4) countAt(i32x4.extract_lane(buckets, 2));
  if (quad & 8) countAt(i32x4.extract_lane(buckets, 3));
}

// @ts-ignore: decorator
@inline
function differing(code: usize, query: usize): v128 {
  return i8x16.popcnt(v128.xor(v128.load(code), v128.load(query)));
}

// @ts-ignore: decorator
@inline
function hamming(code: usize, query: usize, bytes: i32): v128 {
  let sum = i16x8.splat(0);
  let at = 0;
  // Three registers at a time, as 384 dimensions have: a byte counts at most 24 then.
  for (; at + 48 <= bytes; at += 48) {
    const left = code + at;
    const right = query + at;
    const counts = i8x16.add(i8x16.add(differing(left, right), differing(left + 16, right + 16)), differing(left + 32, right + 32));
    sum = i16x8.add(sum, i16x8.extadd_pairwise_i8x16_u(counts));
  }
  for (; at < bytes; at += 16) sum = i16x8.add(sum, i16x8.extadd_pairwise_i8x16_u(differing(code + at, query + at)));
  return i32x4.extadd_pairwise_i16x8_u(sum);
}

// @ts-ignore: decorator
@inline
function integerStep(sum: v128, vector: usize, queryAt: usize): v128 {
  const packed = v128.load(vector);
  const even = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(packed), v128.load(queryAt));
  const odd = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(packed), v128.load(queryAt, 16));
  return i32x4.add(sum, i32x4.add(even, odd));
}

// @ts-ignore: decorator
@inline
function integerDot(vector: usize, query: usize, bytes: i32): v128 {
  let sum = i32x4.splat(0);
  let other = i32x4.splat(0);
  let at = 0;
  // Eight steps at a time: the loop itself would take a third of the time.
  for (; at + 128 <= bytes; at += 128) {
    const left = vector + at;
    const right = query + (at << 1);
    sum = integerStep(sum, left, right);
    other = integerStep(other, left + 16, right + 32);
    sum = integerStep(sum, left + 32, right + 64);
    other = integerStep(other, left + 48, right + 96);
    sum = integerStep(sum, left + 64, right + 128);
    other = integerStep(other, left + 80, right + 160);
    sum = integerStep(sum, left + 96, right + 192);
    other = integerStep(other, left + 112, right + 224);
  }
  for (; at < bytes; at += 16) sum = integerStep(sum, vector + at, query + (at << 1));
  return i32x4.add(sum, other);
}

// @ts-ignore: decorator
@inline
function hamming48(code: usize, a: v128, b: v128, c: v128): v128 {
  const first = i8x16.popcnt(v128.xor(v128.load(code), a));
  const second = i8x16.popcnt(v128.xor(v128.load(code, 16), b));
  const third = i8x16.popcnt(v128.xor(v128.load(code, 32), c));
  return i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(i8x16.add(i8x16.add(first, second), third)));
}

/** `scoreBits` for 257 to 384 dimensions, the network's own size: the query stays in registers. */
function scoreBits48(chunk: usize): void {
  const a = v128.load(queryCode);
  const b = v128.load(queryCode, 16);
  const c = v128.load(queryCode, 32);
  let code = chunk + codes;
  for (let slot = 0; slot < slots; slot += 4) {
    const quad = admittedQuad(chunk, slot);
    if (quad == 0) {
      v128.store(chunk + scores + (<usize>slot << 2), f32x4.splat(REFUSED));
    } else {
      const distances = sumsOf(
        hamming48(code, a, b, c),
        hamming48(code + 48, a, b, c),
        hamming48(code + 96, a, b, c),
        hamming48(code + 144, a, b, c),
      );
      const agreeing = i32x4.sub(i32x4.splat(dimensions), i32x4.shl(distances, 1));
      const factor = v128.load(chunk + factors + (<usize>slot << 2));
      storeQuad(chunk, slot, quad, f32x4.mul(f32x4.convert_i32x4_s(agreeing), factor));
    }
    code += 192;
  }
}

/** Scores a chunk's slots by their one-bit codes: (dimensions - 2 * hamming) * factor. */
export function scoreBits(chunk: usize): void {
  if (codeBytes == 48) {
    scoreBits48(chunk);
    return;
  }
  const bytes = codeBytes;
  const query = queryCode;
  for (let slot = 0; slot < slots; slot += 4) {
    const quad = admittedQuad(chunk, slot);
    if (quad == 0) {
      v128.store(chunk + scores + (<usize>slot << 2), f32x4.splat(REFUSED));
      continue;
    }
    const code = chunk + codes + <usize>slot * bytes;
    const distances = sumsOf(
      hamming(code, query, bytes),
      hamming(code + bytes, query, bytes),
      hamming(code + bytes * 2, query, bytes),
      hamming(code + bytes * 3, query, bytes),
    );
    const agreeing = i32x4.sub(i32x4.splat(dimensions), i32x4.shl(distances, 1));
    const factor = v128.load(chunk + factors + (<usize>slot << 2));
    storeQuad(chunk, slot, quad, f32x4.mul(f32x4.convert_i32x4_s(agreeing), factor));
  }
}

/** Scores a chunk's slots by their int8 vectors: integer dot * scale of the slot * scale of the query. */
export function scoreIntegers(chunk: usize): void {
  const bytes = integerBytes;
  const query = queryIntegers;
  for (let slot = 0; slot < slots; slot += 4) {
    const quad = admittedQuad(chunk, slot);
    if (quad == 0) {
      v128.store(chunk + scores + (<usize>slot << 2), f32x4.splat(REFUSED));
      continue;
    }
    const vector = chunk + integers + <usize>slot * bytes;
    const dots = sumsOf(
      integerDot(vector, query, bytes),
      integerDot(vector + bytes, query, bytes),
      integerDot(vector + bytes * 2, query, bytes),
      integerDot(vector + bytes * 3, query, bytes),
    );
    const scale = v128.load(chunk + scales + (<usize>slot << 2));
    storeQuad(chunk, slot, quad, f32x4.mul(f32x4.mul(f32x4.convert_i32x4_s(dots), scale), f32x4.splat(queryScale)));
  }
}

/** Scores the first `listed` slots of the chunk's list as `scoreIntegers` does; the others keep their scores. */
export function scoreListed(chunk: usize, listed: i32): void {
  for (let at = 0; at < listed; at++) {
    const slot = <usize>load<u32>(chunk + list + (<usize>at << 2));
    const dot = sumLanes(integerDot(chunk + integers + slot * integerBytes, queryIntegers, integerBytes));
    const score = <f32>dot * load<f32>(chunk + scales + (slot << 2)) * queryScale;
    store<f32>(chunk + scores + (slot << 2), score);
    countAt(<i32>max<f32>(0, min<f32>(<f32>(BUCKETS - 1), (score - low) * bucketsPerUnit)));
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
