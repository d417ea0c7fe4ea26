/** The making of a query's vector. */
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { SessionOptions } from "../cold/piece-reader.ts";

export interface EmbeddedQuery {
  /** Unit length. */
  readonly vector: Float32Array;
  /** Words of the query that the vector lacks; a vector with any is for this answer alone. */
  readonly missingWords: number;
}

export interface QueryEmbedder {
  /** @throws {KattegatError} `unavailable` when there is no vector to be had. */
  embed(query: string, session: SessionOptions): Promise<EmbeddedQuery>;
}

/** Makes a query's vector by an embedder that reads nothing of this edge. */
export function createPlainQueryEmbedder(embedder: Embedder): QueryEmbedder {
  return {
    async embed(query) {
      try {
        const [vector] = await embedder.embed([query], "query");
        if (vector === undefined) throw new Error("an embedder gives one vector per text");
        return { vector, missingWords: 0 };
      } catch (cause) {
        throw noVector("The embedding endpoint gave no vector", cause);
      }
    },
  };
}

/** What a caller can do is the same, whatever failed. */
export function noVector(what: string, cause?: unknown): KattegatError {
  return new KattegatError(
    "unavailable",
    `${what}; \`mode: lexical\` or a \`vector\` of your own needs none.`,
    { cause, retryAfterSeconds: 1 },
  );
}
