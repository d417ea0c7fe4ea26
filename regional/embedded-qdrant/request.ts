/** One request as the handlers see it. */
import type { Catalog } from "./catalog.ts";
import type { Collection } from "./collection.ts";
import { objectOf } from "./fields.ts";
import type { Json } from "./fields.ts";
import { formatError, notImplemented, QdrantError } from "./qdrant-error.ts";
import type { Store } from "./storage/store.ts";

export interface Engine {
  readonly catalog: Catalog;
  readonly store: Store;
}

export class QdrantRequest {
  readonly #params: Readonly<Record<string, string>>;
  readonly #query: URLSearchParams;
  readonly #body: Buffer;
  readonly engine: Engine;

  constructor(
    engine: Engine,
    parts: { params: Readonly<Record<string, string>>; query: URLSearchParams; body: Buffer },
  ) {
    this.engine = engine;
    this.#params = parts.params;
    this.#query = parts.query;
    this.#body = parts.body;
  }

  get collectionName(): string {
    return this.param("collection");
  }

  get collection(): Collection {
    return this.engine.catalog.get(this.collectionName);
  }

  param(name: string): string {
    return this.#params[name] ?? "";
  }

  query(name: string): string | null {
    return this.#query.get(name);
  }

  /** The body as an object; an empty body is an empty object. */
  json(): Json {
    if (this.#body.length === 0) return {};
    let value: unknown;
    try {
      value = JSON.parse(this.#body.toString("utf8"));
    } catch (cause) {
      throw formatError(cause instanceof Error ? cause.message : "it does not parse");
    }
    return objectOf(value, "a map");
  }

  /** Refuses query parameters outside `known`. */
  onlyQuery(known: readonly string[]): void {
    for (const name of this.#query.keys()) {
      if (!known.includes(name)) throw notImplemented(`the query parameter \`${name}\``);
    }
    const ordering = this.#query.get("ordering");
    if (ordering !== null && !["weak", "medium", "strong"].includes(ordering)) {
      throw new QdrantError(
        400,
        `Deserialize error in query parameters: unknown variant \`${ordering}\`, expected one of \`weak\`, \`medium\`, \`strong\``,
      );
    }
    const timeout = this.#query.get("timeout");
    if (timeout !== null && !(Number(timeout) >= 1)) {
      throw new QdrantError(
        422,
        "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or larger]",
      );
    }
  }

  get waits(): boolean {
    return this.#query.get("wait") === "true";
  }
}

/** Query parameters of writes. One process has one order of writes, so every `ordering` is the strong one. */
export const WRITE_QUERY = ["wait", "ordering", "timeout"];
/** Query parameters of reads. With one replica, every `consistency` is met. */
export const READ_QUERY = ["consistency", "timeout"];
