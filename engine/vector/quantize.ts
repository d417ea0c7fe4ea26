/** A vector as one bit for each component. */
export interface BitCode {
  readonly bits: Uint8Array;
  /** What makes (dimensions − 2·hamming) an unbiased estimate of the dot product with another code. */
  readonly factor: number;
}

/** A vector as one byte for each component; component ≈ integer · scale. */
export interface IntegerVector {
  readonly integers: Int8Array;
  readonly scale: number;
  /** Length of the difference between the vector and its rounded form. */
  readonly residual: number;
}

/** A query at higher precision than the stored vectors, since it is quantised once and compared often. */
export interface IntegerQuery {
  readonly integers: Int16Array;
  readonly scale: number;
}

/**
 * Returns the signs of an already rotated vector, with RaBitQ's correction.
 *
 * Gao and Long, "RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for Approximate
 * Nearest Neighbor Search", SIGMOD 2024, section 3.2: ⟨o,q⟩ ≈ ⟨ō,q⟩ / ⟨ō,o⟩, where ō has components ±1/√D
 * and ⟨ō,o⟩ = Σ|oᵢ| / (√D·‖o‖). Both sides are codes here, so ⟨ō,q̄⟩ = (D − 2·hamming) / D.
 */
export function toBitCode(rotated: Float32Array): BitCode {
  const bits = new Uint8Array(bitBytes(rotated.length));
  let absolute = 0;
  let square = 0;
  for (let i = 0; i < rotated.length; i += 1) {
    const value = rotated[i] ?? 0;
    absolute += Math.abs(value);
    square += value * value;
    if (value > 0) bits[i >> 3] = (bits[i >> 3] ?? 0) | (1 << (i & 7));
  }
  // ‖o‖ / (D·⟨ō,o⟩) with ⟨ō,o⟩ written out; a zero vector estimates zero.
  const factor = absolute === 0 ? 0 : square / (Math.sqrt(rotated.length) * absolute);
  return { bits, factor };
}

/** Returns the vector with its components rounded to 255 steps of its own largest one. */
export function toIntegers(vector: Float32Array): IntegerVector {
  const integers = new Int8Array(integerBytes(vector.length));
  const scale = Math.fround(largest(vector) / 127);
  let square = 0;
  for (let i = 0; i < vector.length && scale > 0; i += 1) {
    const value = vector[i] ?? 0;
    const rounded = Math.max(-127, Math.min(127, Math.round(value / scale)));
    integers[i] = rounded;
    square += (value - rounded * scale) ** 2;
  }
  return { integers, scale, residual: Math.sqrt(square) };
}

/** Returns the query in 16 bits, scaled so that no dot product with int8 can leave 32 bits. */
export function toIntegerQuery(vector: Float32Array): IntegerQuery {
  const integers = new Int16Array(integerBytes(vector.length));
  let sum = 0;
  for (const value of vector) sum += Math.abs(value);
  const scale = Math.max(largest(vector) / 32_767, (sum * 127) / 2 ** 30);
  for (let i = 0; i < vector.length && scale > 0; i += 1) integers[i] = Math.round((vector[i] ?? 0) / scale);
  return { integers, scale };
}

/** Bytes of a code: padded to a SIMD register, zero bits at the end. */
export function bitBytes(dimensions: number): number {
  return Math.ceil(dimensions / 128) * 16;
}

/** Bytes of an int8 vector: padded to a SIMD register, zeros at the end. */
export function integerBytes(dimensions: number): number {
  return Math.ceil(dimensions / 16) * 16;
}

function largest(vector: Float32Array): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  return most;
}
