/**
 * The SIMD kernel that scores and selects slots (AssemblyScript, not TypeScript).
 *
 * Memory starts with one query, two float rows and a histogram; chunks follow, each with the columns of its slots.
 * A slot is admitted when its bit in the column `admitted` is set; `scoreIntegers` gives every other slot -Infinity and
 * `listBits` does not list it, so later steps need no second look at the filter. Bucket `b` counts scores from
 * low + b / bucketsPerUnit.
 */

const BUCKETS: i32 = 4096;
/** Slots whose codes lie together: byte by byte, the same byte of each slot in a row. */
const BLOCK: i32 = 32;
const REFUSED: f32 = -Infinity;

let dimensions: i32 = 0;
let slots: i32 = 0;
let codeBytes: i32 = 0;
let integerBytes: i32 = 0;
let low: f32 = 0;
let bucketsPerUnit: f32 = 0;
let queryScale: f32 = 0;

// What `listBits` lists, see `beginList`.
let offset: f32 = 0;
let bestWanted: u32 = 1;
let bestCounted: u32 = 0;
let bestBucket: i32 = 0;
let listWanted: u32 = 1;
let listCounted: u32 = 0;
let listBucket: i32 = 0;
let bandBuckets: i32 = 0;

// Query side, from the start of memory.
let queryFloats: usize = 0;
let rowFloats: usize = 0;
let queryIntegers: usize = 0;
let queryTable: usize = 0;
let estimates: usize = 0;
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
  codeBytes = hasCodes ? ((dimensions + 15) & ~15) >> 3 : 0;
  queryFloats = (__heap_base + 15) & ~15;
  rowFloats = queryFloats + integerBytes * 4;
  queryIntegers = rowFloats + integerBytes * 4;
  queryTable = queryIntegers + integerBytes * 2;
  estimates = queryTable + codeBytes * 32;
  histogram = estimates + BLOCK * 4;
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
    case 3: return queryTable;
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
function countOf(bucket: i32): u32 {
  return load<u32>(histogram + (<usize>bucket << 2));
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

/**
 * Starts a list by one-bit codes of the slots whose estimate can matter; `begin` was called before.
 *
 * The list follows a mark that rises while slots are scored: `band` buckets below the `best`-th best estimate so far, or
 * at the `most`-th best where that is higher. Equal estimates share a bucket, so ties are listed together or not at all.
 */
export function beginList(tableOffset: f32, best: u32, most: u32, band: i32): void {
  offset = tableOffset;
  bestWanted = best;
  bestCounted = 0;
  bestBucket = 0;
  listWanted = most;
  listCounted = 0;
  listBucket = 0;
  bandBuckets = band;
}

/** The estimate below which nothing is listed any more: half a bucket lower, since buckets are chosen in float32. */
export function mark(): f32 {
  const bucket = max(listBucket, bestBucket - bandBuckets);
  return bucket <= 0 ? REFUSED : low + (<f32>bucket - 0.5) / bucketsPerUnit;
}

/** Counts an estimate and lets both ranks follow it upwards: each bucket is passed once, so this costs next to nothing. */
function countEstimate(estimate: f32): void {
  const bucket = <i32>max<f32>(0, min<f32>(<f32>(BUCKETS - 1), (estimate - low) * bucketsPerUnit));
  countAt(bucket);
  if (bucket >= bestBucket) {
    bestCounted++;
    for (let least = countOf(bestBucket); bestCounted - least >= bestWanted; least = countOf(bestBucket)) {
      bestCounted -= least;
      bestBucket++;
    }
  }
  if (bucket >= listBucket) {
    listCounted++;
    for (let least = countOf(listBucket); listCounted - least >= listWanted; least = countOf(listBucket)) {
      listCounted -= least;
      listBucket++;
    }
  }
}

// @ts-ignore: decorator
@inline
function lookUp(code: v128, low: v128, high: v128): v128 {
  const nibble = i8x16.splat(15);
  return i8x16.add(i8x16.swizzle(low, v128.and(code, nibble)), i8x16.swizzle(high, v128.and(i16x8.shr_u(code, 4), nibble)));
}

/** Stores four estimates, of which it returns those that reach the mark as bits. */
// @ts-ignore: decorator
@inline
function estimateQuad(sums: v128, factor: usize, quad: i32, offsets: v128, marks: v128): u32 {
  const found = f32x4.mul(f32x4.sub(f32x4.convert_i32x4_u(sums), offsets), v128.load(factor + (<usize>quad << 4)));
  v128.store(estimates + (<usize>quad << 4), found);
  return <u32>i32x4.bitmask(f32x4.ge(found, marks)) << (quad << 2);
}

/** Estimates 16 slots from the sums of the even and of all their table entries; returns which reach the mark as bits. */
// @ts-ignore: decorator
@inline
function estimateHalf(all: v128, odd: v128, factor: usize, half: i32, offsets: v128, marks: v128): u32 {
  const even = i16x8.sub(all, i16x8.shl(odd, 8));
  const first = v128.shuffle<i16>(even, odd, 0, 8, 1, 9, 2, 10, 3, 11);
  const last = v128.shuffle<i16>(even, odd, 4, 12, 5, 13, 6, 14, 7, 15);
  const quad = half << 2;
  return estimateQuad(i32x4.extend_low_i16x8_u(first), factor, quad, offsets, marks)
    | estimateQuad(i32x4.extend_high_i16x8_u(first), factor, quad + 1, offsets, marks)
    | estimateQuad(i32x4.extend_low_i16x8_u(last), factor, quad + 2, offsets, marks)
    | estimateQuad(i32x4.extend_high_i16x8_u(last), factor, quad + 3, offsets, marks);
}

/**
 * Lists the chunk's slots whose estimate reaches the mark, ascending, with their estimates as scores; returns how many.
 *
 * An estimate is (sum of the table's entries for the nibbles of the code - offset) * factor. The table of a nibble is one
 * register, so 16 slots are looked up at once (Andre, Kermarrec and Le Scouarnec, "Cache locality is not enough",
 * VLDB 2015, section 4). Four entries, 60 at most, fit into a byte; `all` sums pairs of bytes as 16-bit numbers, from
 * which the sum of the odd ones is taken away at the end.
 */
export function listBits(chunk: usize): i32 {
  const bytes = codeBytes;
  const offsets = f32x4.splat(offset);
  let listed: usize = 0;
  let marks = mark();
  for (let slot = 0; slot < slots; slot += BLOCK) {
    const bits = load<u32>(chunk + admitted + (<usize>slot >> 3));
    if (bits == 0) continue;
    let all0 = i16x8.splat(0);
    let odd0 = i16x8.splat(0);
    let all1 = i16x8.splat(0);
    let odd1 = i16x8.splat(0);
    let table = queryTable;
    let code = chunk + codes + <usize>slot * bytes;
    for (const end = code + BLOCK * bytes; code < end; code += 64) {
      const low0 = v128.load(table);
      const high0 = v128.load(table, 16);
      const low1 = v128.load(table, 32);
      const high1 = v128.load(table, 48);
      const sum0 = i8x16.add(lookUp(v128.load(code), low0, high0), lookUp(v128.load(code, 32), low1, high1));
      const sum1 = i8x16.add(lookUp(v128.load(code, 16), low0, high0), lookUp(v128.load(code, 48), low1, high1));
      all0 = i16x8.add(all0, sum0);
      odd0 = i16x8.add(odd0, i16x8.shr_u(sum0, 8));
      all1 = i16x8.add(all1, sum1);
      odd1 = i16x8.add(odd1, i16x8.shr_u(sum1, 8));
      table += 64;
    }
    const factor = chunk + factors + (<usize>slot << 2);
    const reached = estimateHalf(all0, odd0, factor, 0, offsets, f32x4.splat(marks))
      | estimateHalf(all1, odd1, factor, 1, offsets, f32x4.splat(marks));
    for (let left = reached & bits; left != 0; left &= left - 1) {
      const lane = ctz(left);
      const estimate = load<f32>(estimates + (<usize>lane << 2));
      if (estimate < marks) continue;
      store<f32>(chunk + scores + (<usize>(slot + lane) << 2), estimate);
      store<u32>(chunk + list + (listed++ << 2), slot + lane);
      countEstimate(estimate);
      marks = mark();
    }
  }
  return <i32>listed;
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

/**
 * Keeps those of the first `listed` slots of the list that score at least `threshold` and scores them again as
 * `scoreIntegers` does; returns how many.
 */
export function scoreListed(chunk: usize, listed: i32, threshold: f32): i32 {
  const kept = collectListed(chunk, listed, threshold);
  for (let at = 0; at < kept; at++) {
    const slot = <usize>load<u32>(chunk + list + (<usize>at << 2));
    const dot = sumLanes(integerDot(chunk + integers + slot * integerBytes, queryIntegers, integerBytes));
    const score = <f32>dot * load<f32>(chunk + scales + (slot << 2)) * queryScale;
    store<f32>(chunk + scores + (slot << 2), score);
    countAt(<i32>max<f32>(0, min<f32>(<f32>(BUCKETS - 1), (score - low) * bucketsPerUnit)));
  }
  return kept;
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
