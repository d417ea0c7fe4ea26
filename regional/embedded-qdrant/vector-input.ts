/** Vectors as clients send them. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { CollectionConfig, DenseConfig } from "./collection-config.ts";
import { isJson, listOf, objectOf, onlyFields } from "./fields.ts";
import type { Json } from "./fields.ts";
import { formatError, notImplemented, validationError, wrongInput } from "./qdrant-error.ts";

export interface Vectors {
  readonly dense: Float32Array | null;
  readonly sparse: SparseVector | null;
}

/** Reads the `vector` of a point: a list for the unnamed vector, or an object of named ones. */
export function vectorsOf(value: unknown, config: CollectionConfig): Vectors {
  if (Array.isArray(value)) {
    if (config.dense === null || config.dense.name !== "") throw unknownName("");
    return { dense: denseOf(value, config.dense), sparse: null };
  }
  const source = objectOf(value, "struct VectorStruct");
  let dense: Float32Array | null = null;
  let sparse: SparseVector | null = null;
  for (const name in source) {
    const vector = source[name];
    if (config.dense !== null && config.dense.name === name) dense = denseOf(vector, config.dense);
    else if (config.sparse === name) sparse = sparseOf(vector);
    else throw unknownName(name);
  }
  return { dense, sparse };
}

export function unknownName(name: string): Error {
  return wrongInput(`Not existing vector name error: ${name}`);
}

/** Checks, converts and, for Cosine, brings the vector to unit length. */
export function denseOf(value: unknown, config: DenseConfig): Float32Array {
  const numbers = listOf(value, "a vector");
  if (isJson(numbers[0]) || Array.isArray(numbers[0])) throw notImplemented("multivectors");
  if (numbers.length !== config.size) {
    throw wrongInput(`Vector dimension error: expected dim: ${config.size}, got ${numbers.length}`);
  }
  const vector = new Float32Array(config.size);
  for (let index = 0; index < numbers.length; index += 1) {
    const number = numbers[index];
    if (typeof number !== "number")
      throw formatError("data did not match any variant of untagged enum VectorStruct");
    vector[index] = number;
  }
  return config.distance === "Cosine" ? normalized(vector) : vector;
}

/**
 * As Qdrant does for Cosine: a zero vector stays (its score is 0), one that is of unit length within 1e-6 stays too,
 * so that its score keeps the bits it has at every other tier.
 */
function normalized(vector: Float32Array): Float32Array {
  let square = 0;
  for (const component of vector) square += component * component;
  if (!Number.isFinite(square)) throw wrongInput("Vector values must be finite");
  if (square < 1.1920929e-7 || Math.abs(square - 1) <= 1e-6) return vector;
  const length = Math.sqrt(square);
  for (let index = 0; index < vector.length; index += 1) vector[index] = (vector[index] ?? 0) / length;
  return vector;
}

/** Indices may come in any order; the engine wants them ascending. */
export function sparseOf(value: unknown): SparseVector {
  const source = objectOf(value, "struct SparseVector");
  onlyFields(source, ["indices", "values"], "a sparse vector");
  const indices = numbersOf(source, "indices");
  const values = numbersOf(source, "values");
  if (indices.length !== values.length) throw validationError("values", "must be the same length as indices");
  const order = isAscending(indices)
    ? null
    : Array.from(indices.keys()).sort((a, b) => (indices[a] ?? 0) - (indices[b] ?? 0));
  const sorted = Uint32Array.from(order === null ? indices : order.map((at) => indices[at] ?? 0));
  for (let at = 1; at < sorted.length; at += 1) {
    if (sorted[at] === sorted[at - 1]) throw validationError("indices", "must be unique");
  }
  return {
    indices: sorted,
    values: Float32Array.from(order === null ? values : order.map((at) => values[at] ?? 0)),
  };
}

function numbersOf(source: Json, name: "indices" | "values"): readonly number[] {
  return listOf(source[name], `the ${name} of a sparse vector`).map((value) => {
    const isRight =
      typeof value === "number" &&
      (name === "values" || (Number.isInteger(value) && value >= 0 && value < 2 ** 32));
    if (!isRight) throw formatError(`${name}: expected ${name === "values" ? "f32" : "u32"}`);
    return value;
  });
}

function isAscending(values: readonly number[]): boolean {
  for (let at = 1; at < values.length; at += 1) if ((values[at] ?? 0) <= (values[at - 1] ?? 0)) return false;
  return true;
}
