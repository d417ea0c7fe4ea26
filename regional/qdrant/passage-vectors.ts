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
    dense: Array.from(new Float32Array(bytes.dense)),
    indices: Array.from(new Uint32Array(bytes.indices)),
    values: Array.from(new Float32Array(bytes.values)),
  };
  if (!vectors.dense.every(Number.isFinite) || !vectors.values.every(Number.isFinite))
    return "expected finite numbers in vectors";
  if (vectors.indices.some((index, at) => at > 0 && index <= (vectors.indices[at - 1] ?? 0))) {
    return "expected ascending term ids without repeats";
  }
  return vectors;
}

/** Node's own decoder is many times faster than a portable one, and these are most of a batch's bytes. */
function bytesOf(text: string): ArrayBuffer {
  return new Uint8Array(Buffer.from(text, "base64")).buffer;
}
