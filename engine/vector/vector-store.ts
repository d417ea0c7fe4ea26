import { createLayout, type Chunk } from "./layout.ts";
import { toBitCode, toIntegerQuery, toIntegers } from "./quantize.ts";
import { createRotation } from "./rotate.ts";
import { HISTOGRAM_BUCKETS, type Kernel, type Scanner } from "./scan.ts";

/** Quantised vectors in kernel memory, addressed by slot. */
export interface VectorStore {
  readonly bytes: number;
  /** Makes room for the slots below `slots`. */
  reserve(slots: number): void;
  /** Quantises the vector into the slot. */
  write(slot: number, vector: Float32Array): void;
  /** Stores a vector that was quantised before; `norm` is the length of the vector it stands for. */
  writeIntegers(slot: number, vector: StoredIntegers): void;
  /** Returns every admitted slot that can be among the best `limit` groups by exact score. */
  nearest(query: Float32Array, options: NearestOptions): number[];
  /** Returns a function that gives `exactDot(query, row)`; valid until the next call of any method. */
  scorer(query: Float32Array): (row: Float32Array) => number;
}

export interface StoredIntegers {
  readonly integers: Int8Array;
  readonly scale: number;
  readonly residual: number;
  readonly norm: number;
}

export interface NearestOptions {
  readonly limit: number;
  /** One bit for each slot. */
  readonly admitted: Uint32Array;
  /** The group of a slot; null when each slot is its own. */
  readonly groupOf: ((slot: number) => number) | null;
  /** How many of the best one-bit estimates are looked at; null looks at every int8 vector. */
  readonly coarse: number | null;
}

/**
 * A slot is rescored when its int8 score is at most twice this many standard deviations below the last wanted one:
 * both the score that is cut off and the one that sets the mark may be wrong.
 */
const BAND_DEVIATIONS = 4;
/** One pass of the kernel over 4,096 × 384 takes about 80 µs and its memory is 1.8 MB: small steps of growth, few calls. */
const CHUNK_SLOTS_MAX = 4_096;

/** Creates an empty store; `slots` is a first size, `hasCodes` adds one-bit codes to the int8 vectors. */
export function createVectorStore(options: {
  readonly scanner: Scanner;
  readonly dimensions: number;
  readonly hasCodes: boolean;
  readonly slots?: number;
}): VectorStore {
  const kernel = options.scanner.instantiate();
  const chunkSlots = Math.min(
    CHUNK_SLOTS_MAX,
    Math.max(32, Math.ceil((options.slots ?? CHUNK_SLOTS_MAX) / 32) * 32),
  );
  return new KernelStore(kernel, { ...options, chunkSlots });
}

class KernelStore implements VectorStore {
  readonly #kernel: Kernel;
  readonly #options: { readonly dimensions: number; readonly hasCodes: boolean; readonly chunkSlots: number };
  readonly #rotate: (vector: Float32Array) => Float32Array;
  #layout: ReturnType<typeof createLayout>;
  #listed: number[] = [];
  #normMax = 0;
  #residualMax = 0;

  constructor(
    kernel: Kernel,
    options: { readonly dimensions: number; readonly hasCodes: boolean; readonly chunkSlots: number },
  ) {
    this.#kernel = kernel;
    this.#options = options;
    this.#rotate = createRotation(options.dimensions);
    this.#layout = createLayout({ kernel, ...options }, 0);
  }

  get bytes(): number {
    return this.#kernel.memory.buffer.byteLength;
  }

  reserve(slots: number): void {
    if (slots <= this.#layout.chunks.length * this.#options.chunkSlots) return;
    this.#layout = createLayout({ kernel: this.#kernel, ...this.#options }, slots);
  }

  write(slot: number, vector: Float32Array): void {
    this.writeIntegers(slot, { ...toIntegers(vector), norm: lengthOf(vector) });
    if (!this.#options.hasCodes) return;
    const { chunk, row } = this.#locate(slot);
    const { bits, factor } = toBitCode(this.#rotate(vector));
    chunk.codes.set(bits, row * bits.length);
    chunk.factors[row] = factor;
  }

  writeIntegers(slot: number, { integers, scale, residual, norm }: StoredIntegers): void {
    if (!Number.isFinite(norm)) throw new RangeError("expected a vector of finite numbers");
    const { chunk, row } = this.#locate(slot);
    chunk.integers.set(integers, row * this.#layout.rowFloats.length);
    chunk.scales[row] = scale;
    this.#normMax = Math.max(this.#normMax, norm);
    this.#residualMax = Math.max(this.#residualMax, residual);
  }

  nearest(query: Float32Array, options: NearestOptions): number[] {
    const queryLength = lengthOf(query);
    const band =
      (2 * BAND_DEVIATIONS * this.#residualMax * queryLength) / Math.sqrt(this.#options.dimensions);
    const bound = queryLength * (this.#normMax + this.#residualMax);
    this.#admit(options.admitted);
    if (options.coarse === null || !this.#options.hasCodes) {
      this.#scoreIntegers(query, bound, null);
      this.#collect(this.#groupThreshold(bound, options) - band);
      return options.groupOf === null ? this.#slots() : this.#bestOfGroups(options.groupOf, band);
    }
    this.#collectCoarse(query, options.coarse);
    this.#scoreIntegers(query, bound, this.#listed);
    const threshold = this.#threshold(bound, options.limit) - band;
    this.#layout.chunks.forEach((chunk, i) => {
      this.#listed[i] = this.#kernel.collectListed(chunk.at, this.#listed[i] ?? 0, threshold);
    });
    return this.#slots();
  }

  scorer(query: Float32Array): (row: Float32Array) => number {
    const { queryFloats, rowFloats } = this.#layout;
    queryFloats.set(query);
    return (row) => {
      rowFloats.set(row);
      return Math.fround(this.#kernel.dot());
    };
  }

  #locate(slot: number): { readonly chunk: Chunk; readonly row: number } {
    const chunk = this.#layout.chunks[Math.floor(slot / this.#options.chunkSlots)];
    if (chunk === undefined) throw new RangeError(`expected a slot that was reserved, got ${slot}`);
    return { chunk, row: slot - chunk.firstSlot };
  }

  #admit(admitted: Uint32Array): void {
    const words = this.#options.chunkSlots / 32;
    this.#layout.chunks.forEach((chunk, i) => {
      chunk.admitted.fill(0);
      chunk.admitted.set(admitted.subarray(i * words, (i + 1) * words));
    });
  }

  #scoreIntegers(query: Float32Array, bound: number, listed: readonly number[] | null): void {
    const { integers, scale } = toIntegerQuery(query);
    this.#layout.queryIntegers.set(integers);
    this.#kernel.begin(-bound, bucketsPerUnit(bound), scale);
    this.#layout.chunks.forEach((chunk, i) => {
      if (listed === null) this.#kernel.scoreIntegers(chunk.at);
      else this.#kernel.scoreListed(chunk.at, listed[i] ?? 0);
    });
  }

  /** Lists the slots with the best one-bit estimates; the query's own length is left out, since it only scales them. */
  #collectCoarse(query: Float32Array, wanted: number): void {
    this.#layout.queryCode.set(toBitCode(this.#rotate(query)).bits);
    // An estimate beyond the vector's length is noise: such slots share the last bucket, all of it is listed.
    const bound = this.#normMax * COARSE_BOUND;
    this.#kernel.begin(-bound, bucketsPerUnit(bound), 1);
    for (const chunk of this.#layout.chunks) this.#kernel.scoreBits(chunk.at);
    this.#collect(this.#threshold(bound, wanted));
  }

  #collect(threshold: number): void {
    this.#listed = this.#layout.chunks.map((chunk) => this.#kernel.collect(chunk.at, threshold));
  }

  #slots(): number[] {
    const slots: number[] = [];
    this.#layout.chunks.forEach(({ firstSlot, list }, i) => {
      for (let at = 0; at < (this.#listed[i] ?? 0); at += 1) slots.push(firstSlot + (list[at] ?? 0));
    });
    return slots;
  }

  /** Leaves out the slots that cannot be the best of their group: a long document would be read whole otherwise. */
  #bestOfGroups(groupOf: (slot: number) => number, band: number): number[] {
    const { chunkSlots } = this.#options;
    const scoreOf = (slot: number) =>
      this.#layout.chunks[Math.floor(slot / chunkSlots)]?.scores[slot % chunkSlots] ?? LOWEST;
    const slots = this.#slots();
    const best = new Map<number, number>();
    for (const slot of slots) {
      const group = groupOf(slot);
      best.set(group, Math.max(best.get(group) ?? LOWEST, scoreOf(slot)));
    }
    return slots.filter((slot) => scoreOf(slot) >= (best.get(groupOf(slot)) ?? LOWEST) - band);
  }

  /** Returns a score that at least `wanted` of the counted scores reach, or all of them. */
  #threshold(bound: number, wanted: number): number {
    let counted = 0;
    for (let bucket = HISTOGRAM_BUCKETS - 1; bucket >= 0; bucket -= 1) {
      counted += this.#layout.histogram[bucket] ?? 0;
      // Half a bucket lower, since the kernel rounds to float32 when it chooses a bucket.
      if (counted >= wanted) return (bucket - 0.5) / bucketsPerUnit(bound) - bound;
    }
    return LOWEST;
  }

  /** Lowers the mark until the slots above it are of `limit` groups, or are all. */
  #groupThreshold(bound: number, { limit, groupOf }: NearestOptions): number {
    if (groupOf === null) return this.#threshold(bound, limit);
    for (let wanted = limit; ; wanted *= 2) {
      const threshold = this.#threshold(bound, wanted);
      if (threshold === LOWEST) return LOWEST;
      this.#collect(threshold);
      const groups = new Set<number>();
      for (const slot of this.#slots()) groups.add(groupOf(slot));
      if (groups.size >= limit) return threshold;
    }
  }
}

/** Below every score, above the -Infinity of slots that are not admitted. */
const LOWEST = -3.4e38;
/** A vector's estimate with itself: √(π/2) of its length when its rotated form is Gaussian, with some room. */
const COARSE_BOUND = 1.3;

function bucketsPerUnit(bound: number): number {
  return bound > 0 ? HISTOGRAM_BUCKETS / (2 * bound) : 1;
}

/** Returns the Euclidean length. */
export function lengthOf(vector: Float32Array): number {
  let square = 0;
  for (const value of vector) square += value * value;
  return Math.sqrt(square);
}
