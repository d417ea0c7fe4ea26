/** A vector as one bit for each component. */
export interface BitCode {
  readonly bits: Uint8Array;
  /** What makes the dot product of a vector and the code's signs an unbiased estimate of that with the coded vector. */
  readonly factor: number;
}

/** A query as sums to look up: of the dot product with the signs of a code, one entry for each value of each nibble. */
export interface BitQuery {
  /** Sixteen entries for each nibble, 60 at most. */
  readonly table: Uint8Array;
  /** What a sum of entries is too high by. */
  readonly offset: number;
  /** Dot product ≈ (sum of entries − offset) · scale. */
  readonly scale: number;
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
 * Nearest Neighbor Search", SIGMOD 2024, section 3.2: ⟨o,q⟩ ≈ ‖o‖·⟨ō,q⟩ / ⟨ō,o⟩, where o is of unit length, ō has
 * components ±1/√D and ⟨ō,o⟩ = Σ|oᵢ| / √D.
 */
export function toBitCode(rotated: Float32Array): BitCode {
  const bits = new Uint8Array(bitBytes(rotated.length));
  return { bits, factor: writeBitCode(rotated, bits, 0) };
}

/** Sets the bits of the same code from a byte on, where all are 0; returns its factor. */
export function writeBitCode(rotated: Float32Array, bits: Uint8Array, from: number): number {
  let absolute = 0;
  let square = 0;
  for (let i = 0; i < rotated.length; i += 1) {
    const value = rotated[i] ?? 0;
    absolute += Math.abs(value);
    square += value * value;
    if (value > 0) bits[from + (i >> 3)] = (bits[from + (i >> 3)] ?? 0) | (1 << (i & 7));
  }
  // ‖o‖ / ⟨ō,o⟩ for a vector of any length, with both √D gone; a zero vector estimates zero.
  return absolute === 0 ? 0 : square / absolute;
}

/**
 * Returns an already rotated query as a table of sums.
 *
 * Section 3.3 of the same paper: four bits for each component of the query change an estimate by much less than the one
 * bit of the code does. A component is (u − 7.5)·scale; its sign in a code makes that u or 15 − u, both 0 to 15.
 */
export function toBitQuery(rotated: Float32Array): BitQuery {
  const table = new Uint8Array(bitBytes(rotated.length) * 2 * NIBBLE_VALUES);
  const most = largest(rotated);
  const scale = most === 0 ? 1 : most / HALF_STEPS;
  for (let i = 0; i < rotated.length; i += 1) {
    const level = Math.round((rotated[i] ?? 0) / scale + HALF_STEPS);
    const start = (i >> 2) * NIBBLE_VALUES;
    const bit = 1 << (i & 3);
    // The entries below `bit` are those of the components before; each gives one without and one with the new bit.
    for (let nibble = 0; nibble < bit; nibble += 1) {
      const entry = table[start + nibble] ?? 0;
      table[start + nibble + bit] = entry + level;
      table[start + nibble] = entry + HALF_STEPS * 2 - level;
    }
  }
  return { table, offset: HALF_STEPS * rotated.length, scale };
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

/** Bytes of a code: padded to the four nibbles that the kernel looks up in one step, zero bits at the end. */
export function bitBytes(dimensions: number): number {
  return Math.ceil(dimensions / 16) * 2;
}

/** Bytes of an int8 vector: padded to a SIMD register, zeros at the end. */
export function integerBytes(dimensions: number): number {
  return Math.ceil(dimensions / 16) * 16;
}

/** What four bits can tell apart. */
const NIBBLE_VALUES = 16;
/** Half of the 15 steps of a query component: four entries of up to four components then fit into a byte. */
const HALF_STEPS = 7.5;

function largest(vector: Float32Array): number {
  let most = 0;
  for (const value of vector) most = Math.max(most, Math.abs(value));
  return most;
}
