/** Finds what is wrong between the embedding settings of a network file. */
import type { Problem } from "./problem.ts";
import type { NetworkParts } from "./well-formed.ts";

/** The one name that the built-in embedder gives its vectors; another name would mark them as some other model's. */
export function hashedModel(dimensions: number): string {
  return `hashed-${dimensions}-v1`;
}

export function embeddingProblems(embedding: NetworkParts["embedding"]): readonly Problem[] {
  switch (embedding.provider) {
    case "openai":
      return openAiProblems(embedding);
    case "hashed":
      return hashedProblems(embedding);
    case undefined:
      return [];
    default: {
      const never: never = embedding.provider;
      return never;
    }
  }
}

function openAiProblems({ url }: NetworkParts["embedding"]): readonly Problem[] {
  if (url !== undefined) return [];
  return [
    {
      path: ["embedding", "url"],
      expected: "the base URL of the endpoint, because provider is openai",
      received: undefined,
      write: "url: http://127.0.0.1:11434/v1",
    },
  ];
}

function hashedProblems({ model, dimensions, url }: NetworkParts["embedding"]): readonly Problem[] {
  const problems: Problem[] = [];
  if (url !== undefined)
    problems.push({
      path: ["embedding", "url"],
      atKey: true,
      expected: "no url, because provider is hashed",
      received: url,
      write: "nothing: remove url, or provider: openai",
    });
  if (model === undefined || dimensions === undefined || model === hashedModel(dimensions)) return problems;
  const named = /^hashed-(\d+)-v1$/.exec(model)?.[1];
  const other = named === undefined ? "" : `, or dimensions: ${named}`;
  problems.push({
    path: ["embedding", "model"],
    expected: `${hashedModel(dimensions)}, because provider is hashed with ${dimensions} dimensions`,
    received: model,
    write: `model: ${hashedModel(dimensions)}${other}`,
  });
  return problems;
}
