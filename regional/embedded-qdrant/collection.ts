/** The points of one collection. */
import type { IndexedPoint, PassageIndex, ScoredPoint } from "@kattegat/engine/index/passage-index.ts";
import { createPassageIndex } from "@kattegat/engine/index/passage-index.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { Filter } from "@kattegat/protocol/filter.ts";
import type { CollectionConfig, IndexType } from "./collection-config.ts";
import type { Json } from "./fields.ts";
import type { StoredPoint } from "./operation.ts";
import { compareIds } from "./point-id.ts";
import { isVacuumDue, VACUUM_DEFAULT } from "./vacuum.ts";

/** The payload key by which the engine groups; grouping by another key walks the ranking. */
export const GROUP_KEY = "document_id";
const ORDER_KEY = "ordinal";
/** The engine wants a size; a collection without dense vectors never writes one. */
const NO_DIMENSIONS = 4;

export interface SearchOptions {
  readonly limit: number;
  readonly filter: Filter | null;
  readonly grouped: boolean;
  readonly exact: boolean;
}

export class Collection {
  readonly name: string;
  config: CollectionConfig;
  readonly indexes = new Map<string, IndexType>();
  readonly #scanner: Scanner;
  readonly #versions = new Map<string, number>();
  #index: PassageIndex;
  #order: readonly string[] | null = null;
  #deleted = 0;

  constructor(name: string, config: CollectionConfig, scanner: Scanner) {
    this.name = name;
    this.config = config;
    this.#scanner = scanner;
    this.#index = this.#newIndex();
  }

  get size(): number {
    return this.#index.size;
  }

  /** Points that were deleted, or replaced, and that the files still hold. */
  get deleted(): number {
    return this.#deleted;
  }

  /** Whether the files are to be written anew without them; of a collection without vectors there is nothing to vacuum. */
  get isVacuumDue(): boolean {
    const { dense, sparse, vacuum = VACUUM_DEFAULT } = this.config;
    if (dense === null && sparse === null) return false;
    return isVacuumDue(vacuum, { points: this.size, deleted: this.#deleted });
  }

  /** Returns what is to be called once no file holds a point that is deleted by now. */
  beginVacuum(): () => void {
    const gone = this.#deleted;
    return () => {
      this.#deleted -= gone;
    };
  }

  /** Number of the operation that wrote the point last. */
  versionOf(id: string): number {
    return this.#versions.get(id) ?? 0;
  }

  get(id: string): IndexedPoint | undefined {
    return this.#index.get(id);
  }

  has(id: string): boolean {
    return this.#versions.has(id);
  }

  upsert(points: readonly StoredPoint[], version: number): void {
    this.#index.upsert(points.map(indexedOf));
    for (const { id } of points) {
      if (this.#versions.has(id)) this.#deleted += 1;
      else this.#order = null;
      this.#versions.set(id, version);
    }
  }

  remove(ids: readonly string[]): void {
    this.#index.remove(ids);
    for (const id of ids) {
      if (!this.#versions.delete(id)) continue;
      this.#deleted += 1;
      this.#order = null;
    }
  }

  setPayloads(payloads: readonly (readonly [string, Json])[], version: number): void {
    for (const [id, payload] of payloads) {
      const point = this.#index.get(id);
      if (point !== undefined)
        this.upsert([{ id, payload, dense: point.dense, sparse: point.sparse }], version);
    }
  }

  addIndex(key: string, type: IndexType): void {
    const before = this.indexes.get(key);
    this.indexes.set(key, type);
    if ((before === "keyword") !== (type === "keyword")) this.#rebuild();
  }

  removeIndex(key: string): void {
    const before = this.indexes.get(key);
    this.indexes.delete(key);
    if (before === "keyword") this.#rebuild();
  }

  searchDense(vector: Float32Array, options: SearchOptions): ScoredPoint[] {
    return this.#index.searchDense(vector, options);
  }

  searchSparse(vector: SparseVector, options: SearchOptions): ScoredPoint[] {
    return this.#index.searchSparse(vector, options);
  }

  select(filter: Filter | null): Iterable<IndexedPoint> {
    return this.#index.select(filter);
  }

  count(filter: Filter | null): number {
    return this.#index.count(filter);
  }

  /** Every id in the order of scroll. */
  ids(): readonly string[] {
    this.#order ??= Array.from(this.#versions.keys()).sort(compareIds);
    return this.#order;
  }

  #newIndex(): PassageIndex {
    const keywordFields = Array.from(this.indexes).flatMap(([key, type]) =>
      type === "keyword" ? [key] : [],
    );
    return createPassageIndex({
      dimensions: this.config.dense?.size ?? NO_DIMENSIONS,
      scanner: this.#scanner,
      keywordFields,
    });
  }

  #rebuild(): void {
    const old = this.#index;
    this.#index = this.#newIndex();
    for (const point of old.select(null)) this.#index.upsert([point]);
  }
}

function indexedOf({ id, payload, dense, sparse }: StoredPoint): IndexedPoint {
  const group = payload[GROUP_KEY];
  const order = payload[ORDER_KEY];
  return {
    id,
    group: typeof group === "string" ? group : id,
    order: typeof order === "number" ? order : 0,
    dense,
    sparse,
    payload,
  };
}
