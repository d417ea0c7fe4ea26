/** Query vectors from the wire. */
import { decodeFloats, decodeIntegers } from "@kattegat/protocol/base64.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";

export type QueryVector = number[] | { readonly indices: number[]; readonly values: number[] };

/** A query of 2,000 characters has fewer terms, in every language's stems together. */
const QUERY_TERMS_MAX = 10_000;

/** @throws {KattegatError} `bad_vector` when it is not of the model's form. */
export function denseQueryOf(text: string, dimensions: number): number[] {
  const vector = numbersOf(() => decodeFloats(text));
  if (vector.length !== dimensions)
    throw new KattegatError("bad_vector", `Expected ${dimensions} dimensions, got ${vector.length}.`);
  return vector;
}

/** @throws {KattegatError} `bad_vector` when indices and values do not fit each other. */
export function lexicalQueryOf(sparse: { readonly indices: string; readonly values: string }): {
  indices: number[];
  values: number[];
} {
  const indices = numbersOf(() => decodeIntegers(sparse.indices));
  const values = numbersOf(() => decodeFloats(sparse.values));
  if (indices.length !== values.length) {
    throw new KattegatError(
      "bad_vector",
      `Expected as many term ids as weights, got ${indices.length} and ${values.length}.`,
    );
  }
  if (indices.length > QUERY_TERMS_MAX)
    throw new KattegatError(
      "bad_vector",
      `Expected at most ${QUERY_TERMS_MAX} terms, got ${indices.length}.`,
    );
  if (new Set(indices).size !== indices.length)
    throw new KattegatError("bad_vector", "Expected each term id once.");
  return { indices, values };
}

function numbersOf(decode: () => Float32Array | Uint32Array): number[] {
  let numbers: number[];
  try {
    numbers = Array.from(decode());
  } catch (cause) {
    throw new KattegatError("bad_vector", "Expected base64 of 32-bit numbers.", { cause });
  }
  if (!numbers.every(Number.isFinite)) throw new KattegatError("bad_vector", "Expected finite numbers only.");
  return numbers;
}
