/** The query in the form that every tier ranks by. */
import type { Network } from "@kattegat/config/network.ts";
import { queryVector, type SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { TermStatistics } from "@kattegat/engine/lexical/statistics.ts";
import { queryTerms } from "@kattegat/engine/text/analyzer.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { SearchRequest } from "@kattegat/protocol/search.ts";
import type { SessionOptions } from "../cold/piece-reader.ts";
import type { QueryEmbedder } from "../embedding/query-embedder.ts";

export interface PreparedQuery {
  /** Unit length; null when the mode has no dense list, or when there was no vector to be had. */
  readonly dense: Float32Array | null;
  /** False for a vector that lacks words: what it finds is for this answer alone. */
  readonly isWhole: boolean;
  /** Why the ranking is not by all that the mode asks for; null when it is. */
  readonly shortfall: string | null;
  /** Null when the mode has no lexical list; without terms when the query has no words. */
  readonly lexical: SparseVector | null;
  readonly terms: ReadonlySet<string>;
}

export interface QueryParts {
  readonly network: Network;
  readonly embedder: QueryEmbedder;
  readonly statistics: TermStatistics;
  /** For what the embedder reads. */
  readonly session: SessionOptions;
}

/**
 * Prepares the query once for all sites, so that one ranking never meets two versions of anything.
 *
 * @throws {KattegatError} `bad_vector` for a vector that does not fit the network's model, `unavailable` when mode `dense` gets no vector.
 */
export async function prepareQuery(request: SearchRequest, parts: QueryParts): Promise<PreparedQuery> {
  const terms = queryTerms(request.query ?? "");
  // A vector without words ranks by the vector alone, whatever the mode.
  const hasLexical = request.mode !== "dense" && request.query !== null;
  const { vector, missingWords, shortfall } = await denseOf(request, parts);
  return {
    dense: vector,
    isWhole: missingWords === 0,
    shortfall,
    lexical: hasLexical ? queryVector(terms, parts.statistics) : null,
    terms: new Set(terms.keys()),
  };
}

async function denseOf(request: SearchRequest, parts: QueryParts): Promise<DenseQuery> {
  const known = { missingWords: 0, shortfall: null };
  const given = request.vector ?? null;
  // Checked in every mode: a bad vector is a mistake even where it is not used.
  const vector = given === null ? null : unitVector(given, parts.network.embedding.dimensions);
  if (request.mode === "lexical") return { vector: null, ...known };
  return vector === null ? await embedded(request, parts) : { vector, ...known };
}

interface DenseQuery {
  readonly vector: Float32Array | null;
  readonly missingWords: number;
  readonly shortfall: string | null;
}

/** Words still rank where there is no vector; only a search by the vector alone has nothing left. */
async function embedded(request: SearchRequest, { embedder, session }: QueryParts): Promise<DenseQuery> {
  try {
    const { vector, missingWords } = await embedder.embed(request.query ?? "", session);
    const shortfall =
      missingWords === 0
        ? null
        : `the query's vector lacks ${missingWords} words whose rows could not be read`;
    return { vector, missingWords, shortfall };
  } catch (error) {
    if (!(error instanceof KattegatError) || request.mode === "dense") throw error;
    return { vector: null, missingWords: 0, shortfall: `ranked by words alone: ${error.message}` };
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
