/** Finds what is wrong between the embedding settings of a network file. */
import type { Problem } from "./problem.ts";
import type { NetworkParts } from "./well-formed.ts";

/** The one name that the built-in embedder gives its vectors; another name would mark them as some other model's. */
export function hashedModel(dimensions: number): string {
  return `hashed-${dimensions}-v1`;
}

/** `kattegat embedding train` takes no other number: rows of an artefact are words of four bytes. */
export const LEARNED_DIMENSIONS = { min: 8, max: 1_024, step: 4 } as const;

/** The parts of a trained embedding's name; null for any other model's. */
export function learnedModelParts(
  model: string,
): { readonly dimensions: number; readonly digest: string } | null {
  const [, dimensions, digest] = /^learned-(\d{1,4})-([0-9a-f]{16})$/.exec(model) ?? [];
  return digest === undefined ? null : { dimensions: Number(dimensions), digest };
}

export function embeddingProblems({ next, ...serving }: NetworkParts["embedding"]): readonly Problem[] {
  if (next === undefined) return modelProblems(serving);
  const nextProblems = modelProblems(next).map(({ path: [embedding = "", ...rest], ...problem }) => ({
    ...problem,
    path: [embedding, "next", ...rest],
  }));
  return [...modelProblems(serving), ...nextProblems, ...sameModelProblems(serving.model, next.model)];
}

type ModelParts = Omit<NetworkParts["embedding"], "next">;

/** A search names its model by the id alone. */
function sameModelProblems(serving: string | undefined, next: string | undefined): readonly Problem[] {
  if (next === undefined || next !== serving) return [];
  return [
    {
      path: ["embedding", "next", "model"],
      expected: `another model than ${serving}, which serves`,
      received: next,
      write: "the model that is to come, or remove next",
    },
  ];
}

function modelProblems(embedding: ModelParts): readonly Problem[] {
  switch (embedding.provider) {
    case "openai":
      return openAiProblems(embedding);
    case "hashed":
      return hashedProblems(embedding);
    case "learned":
      return learnedProblems(embedding);
    case undefined:
      return [];
    default: {
      const never: never = embedding.provider;
      return never;
    }
  }
}

function openAiProblems({ url }: ModelParts): readonly Problem[] {
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

/** Both make vectors without asking anyone. */
function urlProblems({ provider, url }: ModelParts): readonly Problem[] {
  if (url === undefined) return [];
  return [
    {
      path: ["embedding", "url"],
      atKey: true,
      expected: `no url, because provider is ${provider}`,
      received: url,
      write: "nothing: remove url, or provider: openai",
    },
  ];
}

function hashedProblems(embedding: ModelParts): readonly Problem[] {
  const { model, dimensions } = embedding;
  const problems = urlProblems(embedding);
  if (model === undefined || dimensions === undefined || model === hashedModel(dimensions)) return problems;
  const named = /^hashed-(\d+)-v1$/.exec(model)?.[1];
  const trained = learnedModelParts(model) === null ? "" : ", or provider: learned";
  const other = named === undefined ? trained : `, or dimensions: ${named}`;
  return [
    ...problems,
    {
      path: ["embedding", "model"],
      expected: `${hashedModel(dimensions)}, because provider is hashed with ${dimensions} dimensions`,
      received: model,
      write: `model: ${hashedModel(dimensions)}${other}`,
    },
  ];
}

function learnedProblems(embedding: ModelParts): readonly Problem[] {
  const { model, dimensions } = embedding;
  const problems = urlProblems(embedding);
  const parts = model === undefined ? null : learnedModelParts(model);
  if (model !== undefined && parts === null)
    return [
      ...problems,
      {
        path: ["embedding", "model"],
        expected:
          "the name of a trained embedding, learned-<dimensions>-<16 hexadecimal digits>, because provider is learned",
        received: model,
        write: "the lines that kattegat embedding train (or list) prints, or provider: hashed",
      },
    ];
  if (dimensions === undefined || parts === null) return problems;
  const { min, max, step } = LEARNED_DIMENSIONS;
  const isTrainable = parts.dimensions >= min && parts.dimensions <= max && parts.dimensions % step === 0;
  if (isTrainable && parts.dimensions === dimensions) return problems;
  return [
    ...problems,
    {
      path: ["embedding", isTrainable ? "dimensions" : "model"],
      expected: isTrainable
        ? `${parts.dimensions}, because the model is ${model}`
        : `a model with a multiple of ${step} from ${min} to ${max} dimensions, because provider is learned`,
      received: isTrainable ? dimensions : model,
      write: isTrainable
        ? `dimensions: ${parts.dimensions}`
        : "the lines that kattegat embedding train (or list) prints",
    },
  ];
}
