/** The embedder of the model to come, whose failures hold nothing up. */
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";

/** An endpoint that failed is asked again after so long. */
const PAUSE_MS = 10_000;

/** Vectors as they rest, one for each text; null when the model gives none now, so that they are made later. */
type NextEmbedding = Promise<readonly Float32Array[] | null>;

export interface NextEmbedder {
  readonly model: string;
  /** For work that nobody waits for: it finds out whether a model that failed is back. */
  embed(texts: readonly string[]): NextEmbedding;
  /** For a write, which must not wait for a model that the network does not need yet: null at once while the last try failed. */
  embedUnlessFailing(texts: readonly string[]): NextEmbedding;
}

export function createNextEmbedder(options: {
  readonly embedder: Embedder;
  readonly now: () => number;
  readonly failed: (error: unknown) => void;
}): NextEmbedder {
  const { embedder, now } = options;
  let failedAtMs: number | null = null;

  async function attempt(texts: readonly string[]): NextEmbedding {
    try {
      const vectors = await embedder.embed(texts, "passage");
      if (vectors.length !== texts.length) throw new Error("expected one vector for each text");
      failedAtMs = null;
      return vectors.map((vector) => toCanonical(vector));
    } catch (error) {
      failedAtMs = now();
      options.failed(error);
      return null;
    }
  }

  return {
    model: embedder.model,
    embed: async (texts) =>
      failedAtMs !== null && now() - failedAtMs < PAUSE_MS ? null : await attempt(texts),
    embedUnlessFailing: async (texts) => (failedAtMs === null ? await attempt(texts) : null),
  };
}
