import type { Filter } from "@kattegat/protocol/filter.ts";
import type { SparseVector } from "../lexical/bm25.ts";
import type { Scanner } from "../vector/scan.ts";
import { createVectorStore } from "../vector/vector-store.ts";
import {
  type Bitmap,
  clearBit,
  countBits,
  createBitmap,
  forEachBit,
  grown,
  hasBit,
  intersect,
  setBit,
} from "./bitmap.ts";
import { createFloatRows } from "./float-rows.ts";
import { createKeywordField } from "./keyword-field.ts";
import { createPostings } from "./postings.ts";
import { compareCodeUnits, rank, type Ranked } from "./ranking.ts";
import { selectSlots } from "./select-slots.ts";
import { createSlotTable } from "./slot-table.ts";
import { createSparseRows } from "./sparse-rows.ts";
import { createSparseScores } from "./sparse-scores.ts";

/** A passage as it is indexed. */
export interface IndexedPoint {
  readonly id: string;
  /** The document. */
  readonly group: string;
  /** The place among the group's points: breaks ties. */
  readonly order: number;
  readonly dense: Float32Array | null;
  readonly sparse: SparseVector | null;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface ScoredPoint {
  readonly id: string;
  readonly group: string;
  readonly score: number;
  readonly payload: Readonly<Record<string, unknown>>;
}

export interface IndexSearchOptions {
  readonly limit: number;
  readonly filter?: Filter | null;
  /** Ranks groups, each by its best point. */
  readonly grouped: boolean;
  /** Scores every admitted float vector. */
  readonly exact?: boolean;
}

/** An index in memory that ranks points by score, then group, then order. */
export interface PassageIndex {
  readonly size: number;
  /** Replaces points whole; keeps the payload objects, so they must not change afterwards. */
  upsert(points: readonly IndexedPoint[]): void;
  /** Returns how many of the ids were there. */
  remove(ids: readonly string[]): number;
  get(id: string): IndexedPoint | undefined;
  searchDense(vector: Float32Array, options: IndexSearchOptions): ScoredPoint[];
  /** Finds the points that share a term with the query. */
  searchSparse(vector: SparseVector, options: IndexSearchOptions): ScoredPoint[];
  /** Yields the points that passed when iteration began. */
  select(filter: Filter | null): Iterable<IndexedPoint>;
  count(filter: Filter | null): number;
  memoryBytes(): IndexMemory;
}

/** Bytes of each part; payload objects and ids are not counted. */
export interface IndexMemory {
  readonly quantized: number;
  readonly floats: number;
  readonly sparse: number;
  readonly postings: number;
}

export interface PassageIndexOptions {
  readonly dimensions: number;
  readonly scanner: Scanner;
  /** Payload fields whose values are kept as slot sets, so that a match on them costs nothing. */
  readonly keywordFields?: readonly string[];
  /** Ids that `has_id` knows a point by: its own (default), or its group's too. */
  readonly hasId?: "point" | "point or group";
}

/** Up to here scoring every float is as fast as a scan, and exact. */
const EXACT_SLOTS_MAX = 1_000;
/** From this limit on, candidates of one-bit codes would be most of the index: all int8 vectors are scanned instead. */
const COARSE_LIMIT_MAX = 50;
/**
 * One-bit estimates looked at for each wanted point, and at least: only queries that nothing answers well come to so many.
 * Of 50,000 provisions under the hashed embedding, 1,000 estimates at most keep 0.996 of the true top 10, 1,500 keep
 * 0.997 as 2,500 do.
 */
const COARSE_PER_LIMIT = 150;
const COARSE_MIN = 1_500;
/** Freed slots wait for a compaction of the postings; this many, or a quarter of the index, bring it about. */
const PARKED_SLOTS_MIN = 1_024;

/** Creates an empty index. */
export function createPassageIndex(options: PassageIndexOptions): PassageIndex {
  return new Index(options);
}

class Index implements PassageIndex {
  readonly #options: PassageIndexOptions;
  readonly #table = createSlotTable();
  readonly #vectors;
  readonly #floats;
  readonly #sparse = createSparseRows();
  readonly #postings = createPostings();
  readonly #scores = createSparseScores();
  readonly #fields;
  #hasDense = createBitmap(0);

  constructor(options: PassageIndexOptions) {
    this.#options = options;
    this.#vectors = createVectorStore({ ...options, hasCodes: true });
    this.#floats = createFloatRows(options.dimensions);
    const capacity = () => this.#table.live.words.length * 32;
    this.#fields = new Map(
      (options.keywordFields ?? []).map((key) => [key, createKeywordField(key, capacity)]),
    );
  }

  get size(): number {
    return this.#table.size;
  }

  upsert(points: readonly IndexedPoint[]): void {
    for (const { dense } of points) if (dense !== null) this.#expectDimensions(dense);
    for (const point of points) {
      this.remove([point.id]);
      this.#add(point);
    }
  }

  remove(ids: readonly string[]): number {
    let removed = 0;
    for (const id of ids) {
      const slot = this.#table.slotOf(id);
      if (slot === undefined) continue;
      for (const field of this.#fields.values()) field.remove(slot, this.#table.entry(slot).payload);
      clearBit(this.#hasDense, slot);
      this.#sparse.set(slot, null);
      this.#table.remove(slot);
      removed += 1;
    }
    if (this.#table.parked > Math.max(PARKED_SLOTS_MIN, this.#table.size / 4)) {
      this.#postings.compact((slot) => hasBit(this.#table.live, slot));
      this.#table.release();
    }
    return removed;
  }

  get(id: string): IndexedPoint | undefined {
    const slot = this.#table.slotOf(id);
    return slot === undefined ? undefined : this.#pointAt(slot);
  }

  searchDense(vector: Float32Array, options: IndexSearchOptions): ScoredPoint[] {
    this.#expectDimensions(vector);
    const { filter = null } = options;
    // Only live slots have vectors, so without a filter there is nothing to intersect with.
    const admitted = filter === null ? this.#hasDense : intersect(this.#select(filter), this.#hasDense);
    const slots = this.#denseCandidates(vector, admitted, options);
    const scorer = this.#vectors.scorer(vector);
    const scored = slots.map((slot) => ({ slot, score: scorer(this.#floats.get(slot)) }));
    return this.#rank(scored, options);
  }

  searchSparse(vector: SparseVector, options: IndexSearchOptions): ScoredPoint[] {
    const admitted = this.#select(options.filter ?? null);
    const scored = this.#scores.score(vector, {
      slots: this.#table.capacity,
      admits: (slot) => hasBit(admitted, slot),
      forEach: (term, visit) => this.#postings.forEach(term, visit),
    });
    return this.#rank(scored, options);
  }

  *select(filter: Filter | null): Iterable<IndexedPoint> {
    const ids: string[] = [];
    forEachBit(this.#select(filter), (slot) => ids.push(this.#table.entry(slot).id));
    for (const id of ids) {
      const point = this.get(id);
      if (point !== undefined) yield point;
    }
  }

  count(filter: Filter | null): number {
    return filter === null ? this.#table.size : countBits(this.#select(filter));
  }

  memoryBytes(): IndexMemory {
    return {
      quantized: this.#vectors.bytes,
      floats: this.#floats.bytes,
      sparse: this.#sparse.bytes,
      postings: this.#postings.bytes,
    };
  }

  #add(point: IndexedPoint): void {
    const { id, group, order, payload } = point;
    const slot = this.#table.add({ id, group, order, payload });
    for (const field of this.#fields.values()) field.add(slot, payload);
    this.#sparse.set(slot, point.sparse);
    if (point.sparse !== null) this.#postings.add(slot, point.sparse);
    this.#hasDense = grown(this.#hasDense, this.#table.live.words.length * 32);
    if (point.dense === null) return;
    this.#vectors.reserve(slot + 1);
    this.#vectors.write(slot, point.dense);
    this.#floats.set(slot, point.dense);
    setBit(this.#hasDense, slot);
  }

  #denseCandidates(
    vector: Float32Array,
    admitted: Bitmap,
    { limit, grouped, exact }: IndexSearchOptions,
  ): number[] {
    if (exact === true || countBits(admitted, EXACT_SLOTS_MAX) <= EXACT_SLOTS_MAX) {
      const slots: number[] = [];
      forEachBit(admitted, (slot) => slots.push(slot));
      return slots;
    }
    return this.#vectors.nearest(vector, {
      limit,
      admitted: admitted.words,
      groupOf: grouped ? (slot) => this.#table.groupOf(slot) : null,
      coarse: grouped || limit >= COARSE_LIMIT_MAX ? null : Math.max(COARSE_MIN, limit * COARSE_PER_LIMIT),
    });
  }

  #rank(scored: readonly Ranked[], { limit, grouped }: IndexSearchOptions): ScoredPoint[] {
    const ranked = rank(scored, {
      limit,
      groupOf: grouped ? (slot) => this.#table.groupOf(slot) : null,
      compareTies: (left, right) => {
        const a = this.#table.entry(left);
        const b = this.#table.entry(right);
        return compareCodeUnits(a.group, b.group) || a.order - b.order || compareCodeUnits(a.id, b.id);
      },
    });
    return ranked.map(({ slot, score }) => {
      const { id, group, payload } = this.#table.entry(slot);
      return { id, group, score, payload };
    });
  }

  #select(filter: Filter | null): Bitmap {
    const { live } = this.#table;
    if (filter === null) return live;
    const knowsGroups = this.#options.hasId === "point or group";
    return selectSlots(filter, live, {
      point: (slot) => {
        const { id, group, payload } = this.#table.entry(slot);
        return knowsGroups ? { id, otherIds: [group], payload } : { id, payload };
      },
      slotsWith: (key, value) => this.#fields.get(key)?.slotsWith(value) ?? null,
      slotsOf: (id) => [
        ...[this.#table.slotOf(id) ?? []].flat(),
        ...(knowsGroups ? this.#table.slotsOfGroup(id) : []),
      ],
    });
  }

  #pointAt(slot: number): IndexedPoint {
    const isDense = hasBit(this.#hasDense, slot);
    return {
      ...this.#table.entry(slot),
      dense: isDense ? this.#floats.get(slot).slice() : null,
      sparse: this.#sparse.get(slot),
    };
  }

  #expectDimensions(vector: Float32Array): void {
    const { dimensions } = this.#options;
    if (vector.length !== dimensions)
      throw new RangeError(`expected ${dimensions} dimensions, got ${vector.length}`);
  }
}
