/** Routes that rank points. */
import type { ScoredPoint } from "@kattegat/engine/index/passage-index.ts";
import { elementsAt, parsePath } from "@kattegat/engine/filter/path.ts";
import type { Collection } from "./collection.ts";
import { GROUP_KEY } from "./collection.ts";
import { integerOf, listOf, objectOf, onlyFields, textOf } from "./fields.ts";
import type { Json } from "./fields.ts";
import { notImplemented } from "./qdrant-error.ts";
import type { PointQuery } from "./query-input.ts";
import { GROUP_FIELDS, QUERY_FIELDS, queryOf } from "./query-input.ts";
import type { QdrantRequest } from "./request.ts";
import { READ_QUERY } from "./request.ts";
import { scoredOf } from "./wire-point.ts";

export function queryPoints(request: QdrantRequest): Json {
  request.onlyQuery(READ_QUERY);
  return answer(request.json(), request.collection);
}

export function queryBatch(request: QdrantRequest): readonly Json[] {
  request.onlyQuery(READ_QUERY);
  const { collection } = request;
  const body = request.json();
  onlyFields(body, ["searches"], "a batch of queries");
  return listOf(body["searches"], "a sequence of queries").map((search) =>
    answer(objectOf(search, "a query"), collection),
  );
}

function answer(body: Json, collection: Collection): Json {
  const query = queryOf(body, collection, QUERY_FIELDS);
  const found = ranked(query, collection, { limit: query.offset + query.limit, grouped: false });
  return { points: found.slice(query.offset).map((point) => scoredOf(point, collection, query)) };
}

export function queryGroups(request: QdrantRequest): Json {
  request.onlyQuery(READ_QUERY);
  const { collection } = request;
  const body = request.json();
  const query = queryOf(body, collection, GROUP_FIELDS);
  const key = textOf(body["group_by"], "field `group_by`");
  const groupSize = integerOf(body, "group_size", { fallback: 3, min: 1 });
  const groups =
    key === GROUP_KEY && groupSize === 1
      ? groupsByEngine(query, collection)
      : groupsByWalk(query, collection, { key, groupSize });
  return {
    groups: groups.map(([id, hits]) => ({
      id,
      hits: hits.map((point) => scoredOf(point, collection, query)),
    })),
  };
}

type Group = readonly [id: unknown, hits: readonly ScoredPoint[]];

/** The engine groups by this key itself; a point without it is its own group there, in no group here. */
function groupsByEngine(query: PointQuery, collection: Collection): readonly Group[] {
  const filter = {
    must: [
      ...(query.filter === null ? [] : [query.filter]),
      { must_not: [{ is_empty: { key: GROUP_KEY } }] },
    ],
  };
  const isWhole = collection.indexes.has(GROUP_KEY);
  const found = ranked(isWhole ? query : { ...query, filter }, collection, {
    limit: query.limit,
    grouped: true,
  });
  return found
    .filter(({ payload }) => payload[GROUP_KEY] !== undefined)
    .map((point) => [point.group, [point]]);
}

/** Ranks more and more points until enough groups are full, or none are left. */
function groupsByWalk(
  query: PointQuery,
  collection: Collection,
  { key, groupSize }: { readonly key: string; readonly groupSize: number },
): readonly Group[] {
  const path = parsePath(key);
  for (let limit = query.limit * groupSize * 2; ; limit *= 4) {
    const found = ranked(query, collection, { limit, grouped: false });
    const groups = new Map<unknown, ScoredPoint[]>();
    for (const point of found) {
      for (const value of new Set(elementsAt(point.payload, path))) {
        if (typeof value !== "string" && !Number.isInteger(value)) continue;
        const hits = groups.get(value) ?? [];
        if (hits.length < groupSize) hits.push(point);
        groups.set(value, hits);
      }
    }
    const best = Array.from(groups).slice(0, query.limit);
    const isFull = best.length === query.limit && best.every(([, hits]) => hits.length === groupSize);
    if (isFull || found.length < limit) return best;
  }
}

function ranked(
  query: PointQuery,
  collection: Collection,
  { limit, grouped }: { readonly limit: number; readonly grouped: boolean },
): ScoredPoint[] {
  const { target } = query;
  if (target === null) return unranked(query, collection, limit);
  const filter =
    target.exceptId === null
      ? query.filter
      : { must: query.filter ?? [], must_not: [{ has_id: [target.exceptId] }] };
  const options = { limit, filter, grouped, exact: query.exact };
  const found =
    target.kind === "dense"
      ? collection.searchDense(target.vector, options)
      : collection.searchSparse(target.vector, options);
  const { threshold } = query;
  return threshold === null ? found : found.filter(({ score }) => score > threshold);
}

/** Without a query Qdrant answers in the order of ids with score 0. */
function unranked(query: PointQuery, collection: Collection, limit: number): ScoredPoint[] {
  if (query.threshold !== null) throw notImplemented("score_threshold without a query");
  const passing =
    query.filter === null ? null : new Set(Array.from(collection.select(query.filter), ({ id }) => id));
  const ids = passing === null ? collection.ids() : collection.ids().filter((id) => passing.has(id));
  return ids.slice(0, limit).flatMap((id) => {
    const point = collection.get(id);
    return point === undefined ? [] : [{ id, group: point.group, score: 0, payload: point.payload }];
  });
}
