/** The query in the form that every tier ranks by. */
import type { Network } from "@kattegat/config/network.ts";
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import { queryVector, type SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { TermStatistics } from "@kattegat/engine/lexical/statistics.ts";
import { queryTerms } from "@kattegat/engine/text/analyzer.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { SearchRequest } from "@kattegat/protocol/search.ts";

export interface PreparedQuery {
  /** Unit length; null when the mode has no dense list. */
  readonly dense: Float32Array | null;
  /** Null when the mode has no lexical list; without terms when the query has no words. */
  readonly lexical: SparseVector | null;
  readonly terms: ReadonlySet<string>;
}

/**
 * Prepares the query once for all sites, so that one ranking never meets two versions of anything.
 *
 * @throws {KattegatError} `bad_vector` for a vector that does not fit the network's model, `unavailable` when the embedding endpoint fails.
 */
export async function prepareQuery(
  request: SearchRequest,
  parts: { readonly network: Network; readonly embedder: Embedder; readonly statistics: TermStatistics },
): Promise<PreparedQuery> {
  const terms = queryTerms(request.query ?? "");
  const given =
    request.vector === null || request.vector === undefined
      ? null
      : unitVector(request.vector, parts.network.embedding.dimensions);
  // A vector without words ranks by the vector alone, whatever the mode.
  const hasLexical = request.mode !== "dense" && request.query !== null;
  return {
    dense:
      request.mode === "lexical" ? null : (given ?? (await embedded(request.query ?? "", parts.embedder))),
    lexical: hasLexical ? queryVector(terms, parts.statistics) : null,
    terms: new Set(terms.keys()),
  };
}

async function embedded(query: string, embedder: Embedder): Promise<Float32Array> {
  try {
    const [vector] = await embedder.embed([query], "query");
    if (vector === undefined) throw new Error("an embedder gives one vector per text");
    return vector;
  } catch (cause) {
    throw new KattegatError(
      "unavailable",
      "The embedding endpoint gave no vector; `mode: lexical` or a `vector` of your own needs none.",
      { cause, retryAfterSeconds: 1 },
    );
  }
}

function unitVector(values: readonly number[], dimensions: number): Float32Array {
  const refuse = (detail: string): KattegatError =>
    new KattegatError("bad_vector", `/vector: ${detail}.`, { errors: [{ pointer: "/vector", detail }] });
  if (values.length !== dimensions) throw refuse(`expected ${dimensions} numbers; ${values.length} came`);
  const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (!Number.isFinite(largest)) throw refuse("expected finite numbers");
  if (largest === 0) throw refuse("expected a vector with a direction; all numbers are zero");
  // Scaled first, since the square of 1e200 is no number any more.
  const scaled = values.map((value) => value / largest);
  const norm = Math.sqrt(scaled.reduce((sum, value) => sum + value * value, 0));
  return Float32Array.from(scaled, (value) => value / norm);
}
