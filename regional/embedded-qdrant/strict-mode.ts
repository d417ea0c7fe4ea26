/** The refusal of filters that no payload index serves. */
import type { Filter } from "@kattegat/protocol/filter.ts";
import type { Collection } from "./collection.ts";
import { filterOf, forEachKey } from "./filter-input.ts";
import { QdrantError } from "./qdrant-error.ts";

/** Returns a visitor that throws 400 for a key without an index of a fitting type. */
export function requireIndexes(collection: Collection): (key: string, types: readonly string[]) => void {
  return (key, types) => {
    const type = collection.indexes.get(key);
    if (type !== undefined && types.includes(type)) return;
    throw new QdrantError(
      400,
      `Bad request: Index required but not found for "${key}" of one of the following types: [${types.join(", ")}]. ` +
        "Help: Create an index for this key or use a different filter.",
    );
  };
}

/** The filter of a read, checked for the collection's strict mode. */
export function readFilterOf(value: unknown, collection: Collection): Filter | null {
  const filter = filterOf(value);
  if (filter !== null && collection.config.strict.retrieve) forEachKey(filter, requireIndexes(collection));
  return filter;
}
