/** Query requests: what is looked for, in which vector, how much of it. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Filter } from "@kattegat/protocol/filter.ts";
import type { Collection } from "./collection.ts";
import { booleanOf, integerOf, isJson, objectOf, onlyFields, textOf } from "./fields.ts";
import type { Json } from "./fields.ts";
import type { PayloadSelector } from "./payload.ts";
import { selectorOf } from "./payload.ts";
import { pointIdOf } from "./point-id.ts";
import { formatError, notImplemented, QdrantError } from "./qdrant-error.ts";
import { readFilterOf } from "./strict-mode.ts";
import { denseOf, sparseOf, unknownName } from "./vector-input.ts";
import type { VectorSelector } from "./wire-point.ts";
import { vectorSelectorOf } from "./wire-point.ts";

/** What to score by; null walks the points in the order of their ids. */
export type Target =
  | { readonly kind: "dense"; readonly vector: Float32Array; readonly exceptId: string | null }
  | { readonly kind: "sparse"; readonly vector: SparseVector; readonly exceptId: string | null }
  | null;

export interface PointQuery {
  readonly target: Target;
  readonly filter: Filter | null;
  readonly limit: number;
  readonly offset: number;
  readonly threshold: number | null;
  readonly exact: boolean;
  readonly payload: PayloadSelector;
  readonly vectors: VectorSelector;
}

const COMMON_FIELDS = [
  "query",
  "using",
  "filter",
  "params",
  "score_threshold",
  "limit",
  "with_payload",
  "with_vector",
];
export const QUERY_FIELDS = [...COMMON_FIELDS, "offset"];
export const GROUP_FIELDS = [...COMMON_FIELDS, "group_by", "group_size"];

/** @throws {QdrantError} 501 for whatever Qdrant's universal query can and the engine cannot. */
export function queryOf(body: Json, collection: Collection, known: readonly string[]): PointQuery {
  onlyFields(body, known, "a query");
  const threshold = body["score_threshold"] ?? null;
  if (threshold !== null && typeof threshold !== "number") throw formatError("score_threshold: expected f32");
  const target = targetOf(body, collection);
  return {
    target,
    filter: readFilterOf(body["filter"], collection),
    limit: integerOf(body, "limit", { fallback: 10, min: 1 }),
    offset: integerOf(body, "offset", { fallback: 0, min: 0 }),
    threshold,
    exact: exactOf(body["params"] ?? null),
    payload: selectorOf(body["with_payload"], false),
    vectors: vectorSelectorOf(body["with_vector"], collection.config),
  };
}

/** `hnsw_ef` is a floor of quality: a flat scan that rescores is above it at any value. */
function exactOf(value: unknown): boolean {
  if (value === null) return false;
  const source = objectOf(value, "struct SearchParams");
  onlyFields(source, ["exact", "hnsw_ef"], "params");
  return booleanOf(source, "exact", false);
}

function targetOf(body: Json, collection: Collection): Target {
  const using = body["using"] ?? null;
  const name = using === null ? "" : textOf(using, "a vector name");
  const given = body["query"] ?? null;
  if (given === null) return null;
  const value = isJson(given) && "nearest" in given ? given["nearest"] : given;
  if (isJson(given) && "nearest" in given) onlyFields(given, ["nearest"], "a query");
  const { dense, sparse } = collection.config;
  const isDense = dense !== null && dense.name === name;
  if (!isDense && sparse !== name) throw unknownName(name);
  if (typeof value === "string" || typeof value === "number")
    return targetOfPoint(pointIdOf(value), { collection, name, isDense });
  if (isDense) {
    if (isJson(value) && "indices" in value)
      throw formatError("Conversion between sparse and regular vectors failed");
    if (isJson(value)) throw notImplemented(`the query ${Object.keys(value).join(", ")}`);
    return { kind: "dense", vector: denseOf(value, dense), exceptId: null };
  }
  if (isJson(value) && !("indices" in value))
    throw notImplemented(`the query ${Object.keys(value).join(", ")}`);
  if (Array.isArray(value)) throw formatError("Conversion between sparse and regular vectors failed");
  return { kind: "sparse", vector: sparseOf(value), exceptId: null };
}

/** A query by id looks for the neighbours of that point, without it. */
function targetOfPoint(
  id: string,
  {
    collection,
    name,
    isDense,
  }: { readonly collection: Collection; readonly name: string; readonly isDense: boolean },
): Target {
  const point = collection.get(id);
  if (point === undefined) throw new QdrantError(404, `Not found: No point with id ${id} found`);
  if (isDense && point.dense !== null) return { kind: "dense", vector: point.dense, exceptId: id };
  if (!isDense && point.sparse !== null) return { kind: "sparse", vector: point.sparse, exceptId: id };
  throw new QdrantError(400, `Wrong input: Point ${id} does not have vector: \`${name}\``);
}
