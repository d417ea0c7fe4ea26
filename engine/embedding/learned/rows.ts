import { rowBytes } from "./artefact.ts";

/** The largest integer of a row; the scale is the largest component divided by it. */
const INTEGER_MAX = 127;

/** Writes a vector as row record `at`: float32 scale, then int8. */
export function writeRow(records: Uint8Array, at: number, vector: Float64Array): void {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  const scale = Math.fround(largest / INTEGER_MAX);
  const from = at * rowBytes(vector.length);
  new DataView(records.buffer, records.byteOffset + from).setFloat32(0, scale, true);
  if (scale === 0) return;
  for (let i = 0; i < vector.length; i += 1)
    // A Uint8Array keeps the two's complement, which readers take as int8.
    records[from + 4 + i] = Math.max(
      -INTEGER_MAX,
      Math.min(INTEGER_MAX, Math.round((vector[i] ?? 0) / scale)),
    );
}

/** Row records, ready to be added up. */
export class RowTable {
  readonly rows: number;
  readonly #bytes: Int8Array;
  readonly #view: DataView;
  readonly #size: number;

  constructor(records: Uint8Array, dimensions: number) {
    this.#size = rowBytes(dimensions);
    this.rows = Math.floor(records.byteLength / this.#size);
    this.#bytes = new Int8Array(records.buffer, records.byteOffset, records.byteLength);
    this.#view = new DataView(records.buffer, records.byteOffset, records.byteLength);
  }

  /** Adds row `at` times `weight`; every product and every sum is rounded to float32, as the kernel's `addRows` does. */
  addTo(sums: Float32Array, at: number, weight: number): void {
    const from = at * this.#size;
    const factor = Math.fround(Math.fround(weight) * this.#view.getFloat32(from, true));
    const bytes = this.#bytes;
    const begin = from + 4;
    const { length } = sums;
    for (let i = 0; i < length; i += 1)
      sums[i] = (sums[i] ?? 0) + Math.fround(factor * (bytes[begin + i] ?? 0));
  }
}
