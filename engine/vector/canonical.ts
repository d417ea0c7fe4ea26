import { toIntegers } from "./quantize.ts";

/**
 * Returns the unit vector that stands for `vector` at every tier: its direction with each component rounded to 255 steps.
 *
 * Rounded once, where the passage is made, a vector is carried whole by one byte for each component, so a tier that keeps
 * bytes gives the same score to the last digits as one that keeps floats. Rounding again changes nothing.
 */
export function toCanonical(vector: Float32Array): Float32Array<ArrayBuffer> {
  return fromIntegers(toIntegers(vector).integers.subarray(0, vector.length));
}

/** Returns the unit vector in the direction of these steps. */
export function fromIntegers(integers: Int8Array): Float32Array<ArrayBuffer> {
  let square = 0;
  for (const integer of integers) square += integer * integer;
  const canonical = new Float32Array(integers.length);
  if (square === 0) return canonical;
  const length = Math.sqrt(square);
  for (let at = 0; at < canonical.length; at += 1) canonical[at] = (integers[at] ?? 0) / length;
  return canonical;
}
