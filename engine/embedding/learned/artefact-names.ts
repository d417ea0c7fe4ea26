import { learnedModelParts } from "@kattegat/config/embedding-consistency.ts";

/** Returns the name of the head's file or object. */
export function headName(model: string): string {
  return `${model}.head`;
}

/** Returns the name of the file or object that holds the rows. */
export function rowsName(model: string): string {
  return `${model}.rows`;
}

/** The objects of a trained embedding in a bucket. */
export interface EmbeddingKeys {
  readonly head: string;
  readonly rows: string;
}

/** Returns the objects that a reader of vectors of this model needs; null for a model that is no trained one. */
export function embeddingKeys(model: string): EmbeddingKeys | null {
  if (learnedModelParts(model) === null) return null;
  return { head: `embeddings/${headName(model)}`, rows: `embeddings/${rowsName(model)}` };
}
