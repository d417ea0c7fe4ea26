/** The vectors of a passage as they came over the wire. */
import type { PassageRecord } from "@kattegat/protocol/changes.ts";

export interface PassageVectors {
  readonly dense: number[];
  readonly indices: number[];
  readonly values: number[];
}

/** Returns the numbers, or what is wrong with them: Qdrant would refuse the whole batch for one bad passage. */
export function vectorsOf({ dense, sparse }: PassageRecord, dimensions: number): PassageVectors | string {
  const bytes = { dense: bytesOf(dense), indices: bytesOf(sparse.indices), values: bytesOf(sparse.values) };
  if (bytes.dense.byteLength !== dimensions * 4)
    return `expected ${dimensions} dimensions, got ${bytes.dense.byteLength / 4}`;
  if (bytes.indices.byteLength !== bytes.values.byteLength || bytes.indices.byteLength % 4 !== 0) {
    return "expected a lexical vector with as many indices as values";
  }
  const vectors = {
    dense: numbersOf(new Float32Array(bytes.dense)),
    indices: numbersOf(new Uint32Array(bytes.indices)),
    values: numbersOf(new Float32Array(bytes.values)),
  };
  if (!areFinite(vectors.dense) || !areFinite(vectors.values)) return "expected finite numbers in vectors";
  if (!isAscending(vectors.indices)) return "expected ascending term ids without repeats";
  return vectors;
}

/** Node's own decoder is many times faster than a portable one, and these are most of a batch's bytes. */
function bytesOf(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, "base64")).buffer;
}

/** Loops: `Array.from` and its like take several times as long, and this is done for each number of each passage. */
function numbersOf(column: Float32Array | Uint32Array): number[] {
  const numbers = new Array<number>(column.length);
  for (let at = 0; at < column.length; at += 1) numbers[at] = column[at] ?? 0;
  return numbers;
}

function areFinite(numbers: readonly number[]): boolean {
  for (const number of numbers) if (!Number.isFinite(number)) return false;
  return true;
}

function isAscending(numbers: readonly number[]): boolean {
  for (let at = 1; at < numbers.length; at += 1)
    if ((numbers[at] ?? 0) <= (numbers[at - 1] ?? 0)) return false;
  return true;
}
