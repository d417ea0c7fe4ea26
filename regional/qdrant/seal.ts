/** The checksum that a point carries of its own payload and vectors. */
import { createHash } from "node:crypto";
import { toIntegers } from "@kattegat/engine/vector/quantize.ts";

/** The payload key of the seal; no caller's filter can name it. */
export const SEAL = "seal";

/** Half of a SHA-256: it is to find accidents, and rides on every point. */
const SEAL_BYTES = 16;

export interface SealedContent {
  readonly payload: Readonly<Record<string, unknown>>;
  readonly dense: readonly number[];
  readonly indices: readonly number[];
  readonly values: readonly number[];
}

/**
 * Returns the seal of a point, whatever seal its payload has.
 *
 * Qdrant scales a vector to length one as it stores it, which moves last digits; the 255 steps of a canonical vector stay.
 */
export function sealOf({ payload, dense, indices, values }: SealedContent): string {
  const hash = createHash("sha256");
  const fields = Object.keys(payload)
    .filter((key) => key !== SEAL)
    .toSorted();
  hash.update(JSON.stringify(fields.map((key) => [key, textOf(payload[key])])));
  const { integers } = toIntegers(new Float32Array(dense));
  hash.update(integers.subarray(0, dense.length));
  hash.update(new Uint32Array(indices));
  hash.update(new Float32Array(values));
  return hash.digest().subarray(0, SEAL_BYTES).toString("base64");
}

/** Written once for all passages of a document. */
const texts = new WeakMap<object, string>();

/** A store keeps the keys of an object in an order of its own. */
function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "";
  const known = texts.get(value);
  if (known !== undefined) return known;
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
  texts.set(value, text);
  return text;
}
