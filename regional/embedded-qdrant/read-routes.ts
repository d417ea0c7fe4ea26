/** Routes that read points by id or filter. */
import type { IndexedPoint } from "@kattegat/engine/index/passage-index.ts";
import { booleanOf, integerOf, listOf, onlyFields } from "./fields.ts";
import type { Json } from "./fields.ts";
import { selectorOf } from "./payload.ts";
import { compareIds, pointIdOf, pointIdOfPath, wireIdOf } from "./point-id.ts";
import { QdrantError } from "./qdrant-error.ts";
import type { QdrantRequest } from "./request.ts";
import { READ_QUERY } from "./request.ts";
import { readFilterOf } from "./strict-mode.ts";
import { recordOf, vectorSelectorOf } from "./wire-point.ts";

/** Ids that are not there are left out; each id is answered once. */
export function retrievePoints(request: QdrantRequest): readonly Json[] {
  request.onlyQuery(READ_QUERY);
  const { collection } = request;
  const body = request.json();
  onlyFields(body, ["ids", "with_payload", "with_vector"], "a retrieval");
  const selection = {
    payload: selectorOf(body["with_payload"], true),
    vectors: vectorSelectorOf(body["with_vector"], collection.config),
  };
  const ids = new Set(listOf(body["ids"], "a sequence of ids").map(pointIdOf));
  return Array.from(ids).flatMap((id) => {
    const point = collection.get(id);
    return point === undefined ? [] : [recordOf(point, selection)];
  });
}

export function retrievePoint(request: QdrantRequest): Json {
  request.onlyQuery(READ_QUERY);
  const { collection } = request;
  const id = pointIdOfPath(request.param("id"));
  const point = collection.get(id);
  if (point === undefined) throw new QdrantError(404, `Not found: Point with id ${id} does not exists!`);
  return recordOf(point, {
    payload: selectorOf(true, true),
    vectors: vectorSelectorOf(true, collection.config),
  });
}

export function countPoints(request: QdrantRequest): Json {
  request.onlyQuery(READ_QUERY);
  const { collection } = request;
  const body = request.json();
  onlyFields(body, ["filter", "exact"], "a count");
  booleanOf(body, "exact", true);
  return { count: collection.count(readFilterOf(body["filter"], collection)) };
}

export function scrollPoints(request: QdrantRequest): Json {
  request.onlyQuery(READ_QUERY);
  const { collection } = request;
  const body = request.json();
  onlyFields(body, ["filter", "limit", "offset", "with_payload", "with_vector"], "a scroll");
  const limit = integerOf(body, "limit", { fallback: 10, min: 1 });
  const offset = (body["offset"] ?? null) === null ? null : pointIdOf(body["offset"]);
  const filter = readFilterOf(body["filter"], collection);
  const selection = {
    payload: selectorOf(body["with_payload"], true),
    vectors: vectorSelectorOf(body["with_vector"], collection.config),
  };
  const ids =
    filter === null
      ? collection.ids()
      : Array.from(collection.select(filter), ({ id }) => id).sort(compareIds);
  const start = offset === null ? 0 : firstFrom(ids, offset);
  const page = ids.slice(start, start + limit).map((id) => collection.get(id));
  const next = ids[start + limit];
  return {
    points: page
      .filter((point): point is IndexedPoint => point !== undefined)
      .map((point) => recordOf(point, selection)),
    next_page_offset: next === undefined ? null : wireIdOf(next),
  };
}

/** The place of the first id that is not before `offset`. */
function firstFrom(ids: readonly string[], offset: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareIds(ids[middle] ?? "", offset) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
