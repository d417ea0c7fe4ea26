/** Chooses the embedder that the network file names. */
import type { Network } from "@kattegat/config/network.ts";
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { createOpenAiEmbedder } from "@kattegat/engine/embedding/openai.ts";

/** @throws {Error} when the network file names another model than its provider makes. */
export function embedderOf({ embedding }: Network, { apiKey }: { readonly apiKey: string | null }): Embedder {
  const { provider, model, dimensions, url } = embedding;
  if (provider === "openai") {
    if (url === undefined)
      throw new Error("embedding.url: expected the URL of the endpoint, since the provider is openai");
    return createOpenAiEmbedder({ url, model, dimensions, fetch, ...(apiKey === null ? {} : { apiKey }) });
  }
  const embedder = createHashedEmbedder({ dimensions });
  if (embedder.model !== model)
    throw new Error(
      `embedding.model: expected ${embedder.model}, since the provider is hashed with ${dimensions} dimensions`,
    );
  return embedder;
}
