/** Routes about collections. */
import { collectionConfigOf, describeConfig, indexTypeOf } from "./collection-config.ts";
import { onlyFields, textOf } from "./fields.ts";
import type { Json } from "./fields.ts";
import { QdrantError, validationError } from "./qdrant-error.ts";
import type { QdrantRequest } from "./request.ts";
import { WRITE_QUERY } from "./request.ts";
import { updatedVacuum, VACUUM_DEFAULT } from "./vacuum.ts";

/** Qdrant's own bound of a name. */
const NAME_CHARACTERS_MAX = 255;

export function listCollections(request: QdrantRequest): Json {
  return { collections: request.engine.catalog.all().map(({ name }) => ({ name })) };
}

export function collectionExists(request: QdrantRequest): Json {
  return { exists: request.engine.catalog.has(request.collectionName) };
}

export function describeCollection(request: QdrantRequest): Json {
  const { collection } = request;
  const schema = Array.from(collection.indexes, ([key, type]) => {
    return [
      key,
      { data_type: type, points: collection.count({ must_not: [{ is_empty: { key } }] }) },
    ] as const;
  });
  return {
    status: "green",
    optimizer_status: "ok",
    indexed_vectors_count: collection.size,
    points_count: collection.size,
    segments_count: 1,
    config: describeConfig(collection.config),
    payload_schema: Object.fromEntries(schema),
    update_queue: { length: 0 },
  };
}

export async function createCollection(request: QdrantRequest): Promise<boolean> {
  request.onlyQuery(["timeout"]);
  const collection = request.collectionName;
  const { catalog, store } = request.engine;
  if (collection.length > NAME_CHARACTERS_MAX || /[<>:"/\\|?*\p{Cc}]/u.test(collection)) {
    throw new QdrantError(
      422,
      `Validation error in path parameters: [name: value "${collection.slice(0, 60)}" invalid]`,
    );
  }
  const config = collectionConfigOf(request.json());
  if (catalog.has(collection))
    throw new QdrantError(409, `Wrong input: Collection \`${collection}\` already exists!`);
  await store.commit({ kind: "create", collection, config });
  return true;
}

export async function updateCollection(request: QdrantRequest): Promise<boolean> {
  request.onlyQuery(["timeout"]);
  const { name, config } = request.collection;
  const vacuum = updatedVacuum(request.json(), config.vacuum ?? VACUUM_DEFAULT);
  await request.engine.store.commit({ kind: "configure", collection: name, vacuum });
  return true;
}

export async function deleteCollection(request: QdrantRequest): Promise<boolean> {
  request.onlyQuery(["timeout"]);
  const collection = request.collectionName;
  if (!request.engine.catalog.has(collection)) return false;
  await request.engine.store.commit({ kind: "drop", collection });
  return true;
}

export async function createIndex(request: QdrantRequest): Promise<Json> {
  request.onlyQuery(WRITE_QUERY);
  const { collection } = request;
  const body = request.json();
  onlyFields(body, ["field_name", "field_schema"], "a new payload index");
  const key = textOf(body["field_name"], "field `field_name`");
  if (key === "") throw validationError("field_name", "must not be empty");
  const type = indexTypeOf(body["field_schema"]);
  return updated(
    request,
    await request.engine.store.commit({ kind: "index", collection: collection.name, key, type }),
  );
}

export async function deleteIndex(request: QdrantRequest): Promise<Json> {
  request.onlyQuery(WRITE_QUERY);
  const key = request.param("key");
  return updated(
    request,
    await request.engine.store.commit({ kind: "unindex", collection: request.collection.name, key }),
  );
}

/** Every write is durable before it is answered; who did not wait is told no more than was asked. */
export function updated(request: QdrantRequest, operationId: number): Json {
  return { operation_id: operationId, status: request.waits ? "completed" : "acknowledged" };
}
