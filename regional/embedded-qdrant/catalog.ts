/** All collections in memory. */
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { Collection } from "./collection.ts";
import type { Operation } from "./operation.ts";
import { noCollection } from "./qdrant-error.ts";

export class Catalog {
  readonly #collections = new Map<string, Collection>();
  readonly #scanner: Scanner;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  /** @throws {QdrantError} 404 when there is none of the name. */
  get(name: string): Collection {
    const collection = this.#collections.get(name);
    if (collection === undefined) throw noCollection(name);
    return collection;
  }

  has(name: string): boolean {
    return this.#collections.has(name);
  }

  all(): readonly Collection[] {
    return Array.from(this.#collections.values());
  }

  /** `version` is the operation's number; what it names and is gone by now is passed over. */
  apply(operation: Operation, version: number): void {
    if (operation.kind === "create") {
      this.#collections.set(
        operation.collection,
        new Collection(operation.collection, operation.config, this.#scanner),
      );
      return;
    }
    if (operation.kind === "drop") {
      this.#collections.delete(operation.collection);
      return;
    }
    const collection = this.#collections.get(operation.collection);
    if (collection === undefined) return;
    switch (operation.kind) {
      case "configure":
        collection.config = { ...collection.config, vacuum: operation.vacuum };
        return;
      case "index":
        return collection.addIndex(operation.key, operation.type);
      case "unindex":
        return collection.removeIndex(operation.key);
      case "upsert":
        return collection.upsert(operation.points, version);
      case "remove":
        return collection.remove(operation.ids);
      case "payload":
        return collection.setPayloads(operation.payloads, version);
    }
  }
}
