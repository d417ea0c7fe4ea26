/** Routes that write points. */
import type { Collection } from "./collection.ts";
import { updated } from "./collection-routes.ts";
import { isJson, listOf, objectOf, onlyFields } from "./fields.ts";
import type { Json } from "./fields.ts";
import { filterOf, forEachKey } from "./filter-input.ts";
import type { Operation, StoredPoint } from "./operation.ts";
import { pointIdOf } from "./point-id.ts";
import { formatError, notImplemented, wrongInput } from "./qdrant-error.ts";
import type { QdrantRequest } from "./request.ts";
import { WRITE_QUERY } from "./request.ts";
import { requireIndexes } from "./strict-mode.ts";
import { vectorsOf } from "./vector-input.ts";

export function upsertPoints(request: QdrantRequest): Promise<Json> {
  return write(request, (collection) => upsertOf(request.json(), collection));
}

export function deletePoints(request: QdrantRequest): Promise<Json> {
  return write(request, (collection) => removeOf(request.json(), collection));
}

export function setPayload(request: QdrantRequest): Promise<Json> {
  return write(request, (collection) => payloadOf(request.json(), collection));
}

/** Operations of a batch are applied in order; like Qdrant's, a batch that fails in the middle has done what came before. */
export async function batchPoints(request: QdrantRequest): Promise<readonly Json[]> {
  request.onlyQuery(WRITE_QUERY);
  const { collection } = request;
  const body = request.json();
  onlyFields(body, ["operations"], "a batch");
  const commits: Promise<number>[] = [];
  for (const item of listOf(body["operations"], "a sequence of operations")) {
    const entry = Object.entries(objectOf(item, "enum UpdateOperation"))[0];
    if (entry === undefined)
      throw formatError("data did not match any variant of untagged enum UpdateOperation");
    // Built one after the other, since a filter of a later one must see what an earlier one wrote.
    commits.push(
      request.engine.store.commit(operationOf(entry[0], objectOf(entry[1], "an operation"), collection)),
    );
  }
  const numbers = await Promise.all(commits);
  return numbers.map((number) => updated(request, number));
}

function operationOf(name: string, body: Json, collection: Collection): Operation {
  if (name === "upsert") return upsertOf(body, collection);
  if (name === "delete") return removeOf(body, collection);
  if (name === "set_payload") return payloadOf(body, collection);
  throw notImplemented(`the batch operation ${name}`);
}

async function write(request: QdrantRequest, make: (collection: Collection) => Operation): Promise<Json> {
  request.onlyQuery(WRITE_QUERY);
  return updated(request, await request.engine.store.commit(make(request.collection)));
}

function upsertOf(body: Json, collection: Collection): Operation {
  if ("batch" in body) throw notImplemented("points in columns (`batch`)");
  onlyFields(body, ["points"], "an upsert");
  const points = listOf(body["points"], "a sequence of points").map((point) => pointOf(point, collection));
  if (points.length === 0) throw wrongInput("Empty update request");
  return { kind: "upsert", collection: collection.name, points };
}

function pointOf(value: unknown, collection: Collection): StoredPoint {
  const source = objectOf(value, "struct PointStruct");
  onlyFields(source, ["id", "vector", "payload"], "a point");
  if (source["vector"] === undefined) throw formatError("missing field `vector`");
  const { dense, sparse } = vectorsOf(source["vector"], collection.config);
  const payload = source["payload"] ?? {};
  return { id: pointIdOf(source["id"]), payload: objectOf(payload, "a payload object"), dense, sparse };
}

function removeOf(body: Json, collection: Collection): Operation {
  return { kind: "remove", collection: collection.name, ids: chosenIds(body, collection) };
}

function payloadOf(body: Json, collection: Collection): Operation {
  onlyFields(body, ["payload", "points", "filter", "key"], "a payload edit");
  if ((body["key"] ?? null) !== null) throw notImplemented("a payload edit below a key");
  const payload = objectOf(body["payload"], "a payload object");
  const payloads = chosenIds(
    { points: body["points"] ?? null, filter: body["filter"] ?? null },
    collection,
  ).flatMap((id) => {
    const point = collection.get(id);
    return point === undefined ? [] : [[id, { ...point.payload, ...payload }] as const];
  });
  return { kind: "payload", collection: collection.name, payloads };
}

/** The points that `points` names, or that `filter` passes. */
function chosenIds(body: Json, collection: Collection): readonly string[] {
  onlyFields(body, ["points", "filter"], "a selection of points");
  const points = body["points"] ?? null;
  if (points !== null) return listOf(points, "a sequence of ids").map(pointIdOf);
  if (!isJson(body["filter"]))
    throw formatError("data did not match any variant of untagged enum PointsSelector");
  const filter = filterOf(body["filter"]);
  if (filter !== null && collection.config.strict.update) forEachKey(filter, requireIndexes(collection));
  return Array.from(collection.select(filter), ({ id }) => id);
}
