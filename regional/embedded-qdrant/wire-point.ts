/** Points as they go into an answer. */
import type { IndexedPoint } from "@kattegat/engine/index/passage-index.ts";
import type { Collection } from "./collection.ts";
import type { CollectionConfig } from "./collection-config.ts";
import { listOf, textOf } from "./fields.ts";
import type { Json } from "./fields.ts";
import type { PayloadSelector } from "./payload.ts";
import { wireIdOf } from "./point-id.ts";

/** Returns the `vector` of an answer, or null for none. */
export type VectorSelector = (point: IndexedPoint) => unknown;

/** Reads `with_vector`: a boolean or a list of names. */
export function vectorSelectorOf(value: unknown, config: CollectionConfig): VectorSelector {
  const given = value ?? false;
  if (given === false) return () => null;
  const names =
    given === true
      ? null
      : listOf(given, "a sequence of vector names").map((name) => textOf(name, "a vector name"));
  const wants = (name: string): boolean => names === null || names.includes(name);
  return ({ dense, sparse }) => {
    if (config.dense?.name === "" && config.sparse === null) return dense === null ? {} : Array.from(dense);
    const named: Record<string, unknown> = {};
    if (config.dense !== null && dense !== null && wants(config.dense.name))
      named[config.dense.name] = Array.from(dense);
    if (config.sparse !== null && sparse !== null && wants(config.sparse)) {
      named[config.sparse] = { indices: Array.from(sparse.indices), values: Array.from(sparse.values) };
    }
    return named;
  };
}

export interface Selection {
  readonly payload: PayloadSelector;
  readonly vectors: VectorSelector;
}

/** A point of scroll or retrieve. */
export function recordOf(point: IndexedPoint, { payload, vectors }: Selection): Json {
  const shown = payload(point.payload);
  const vector = vectors(point);
  return {
    id: wireIdOf(point.id),
    ...(shown === null ? {} : { payload: shown }),
    ...(vector === null ? {} : { vector }),
  };
}

/** A point of a query. */
export function scoredOf(
  { id, score, payload }: { readonly id: string; readonly score: number; readonly payload: Json },
  collection: Collection,
  selection: Selection,
): Json {
  const shown = selection.payload(payload);
  const stored = selection.vectors === undefined ? undefined : collection.get(id);
  const vector = stored === undefined ? null : selection.vectors(stored);
  return {
    id: wireIdOf(id),
    version: collection.versionOf(id),
    score,
    ...(shown === null ? {} : { payload: shown }),
    ...(vector === null ? {} : { vector }),
  };
}
