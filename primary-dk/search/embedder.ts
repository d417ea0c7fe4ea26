/** Chooses the embedder that the network file names. */
import { sitesBarredFrom } from "@kattegat/config/embedding-residency.ts";
import { modelsOf, networkWith } from "@kattegat/config/models.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { Embedder } from "@kattegat/engine/embedding/embedder.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { headName, rowsName } from "@kattegat/engine/embedding/learned/artefact-names.ts";
import { createOpenAiEmbedder } from "@kattegat/engine/embedding/openai.ts";
import type { ResidentLearnedEmbedder } from "@kattegat/engine/embedding/learned/embedder.ts";
import { openResidentEmbedder } from "../embedding/artefact-files.ts";

export interface EmbedderOptions {
  readonly apiKey: string | null;
  /** The folder of trained embeddings. */
  readonly embeddings: string;
}

/**
 * Resolves with the embedder of the network's serving model.
 *
 * @throws {Error} for a model that its provider does not make, or a trained one that is not in the folder.
 */
export async function embedderOf(network: Network, options: EmbedderOptions): Promise<Embedder> {
  const { embedding } = network;
  const { provider, model, dimensions, url } = embedding;
  switch (provider) {
    case "openai":
      if (url === undefined)
        throw new Error("embedding.url: expected the URL of the endpoint, since the provider is openai");
      return createOpenAiEmbedder({
        url,
        model,
        dimensions,
        fetch,
        ...(options.apiKey === null ? {} : { apiKey: options.apiKey }),
      });
    case "learned":
      return allowed(await trainedEmbedder(model, options), network);
    case "hashed": {
      const embedder = createHashedEmbedder({ dimensions });
      if (embedder.model !== model)
        throw new Error(
          `embedding.model: expected ${embedder.model}, since the provider is hashed with ${dimensions} dimensions`,
        );
      return embedder;
    }
  }
}

/** Null without a model that is being prepared. */
export async function nextEmbedderOf(network: Network, options: EmbedderOptions): Promise<Embedder | null> {
  const [, next] = modelsOf(network);
  return next === undefined ? null : await embedderOf(networkWith(network, next), options);
}

/** The network file may have changed since the training: a new site, a stricter class. */
function allowed(embedder: ResidentLearnedEmbedder, network: Network): Embedder {
  for (const className of embedder.classes) {
    const barred = sitesBarredFrom(network, className);
    if (barred.length > 0)
      throw new Error(
        `${embedder.model} was trained from the class ${className}, which may not rest at ${barred.join(", ")}. ` +
          "Train another with kattegat embedding train, and name that.",
      );
  }
  return embedder;
}

async function trainedEmbedder(
  model: string,
  { embeddings }: EmbedderOptions,
): Promise<ResidentLearnedEmbedder> {
  try {
    return await openResidentEmbedder(embeddings, model);
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || cause.code !== "ENOENT") throw cause;
    throw new Error(
      `The network file names ${model}; expected ${headName(model)} and ${rowsName(model)} in ${embeddings}. ` +
        "Copy them there from where kattegat embedding train wrote them, or train another and name that.",
      { cause },
    );
  }
}
