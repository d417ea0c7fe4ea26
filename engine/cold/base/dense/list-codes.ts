import { ColdFormatError } from "../../format-error.ts";

/** The one-bit codes of rows, by row; a row has the same code in every list. */
export interface RowCodes {
  readonly dimensions: number;
  /** `codeBytes(dimensions)` for each row. */
  readonly bits: Uint8Array;
  /** What makes ⟨signs, rotated query⟩ an estimate of ⟨row − its centroid's share, query⟩. */
  readonly factors: Float32Array;
}

/** Which rows a list holds: those at home, then copies of others, ascending. */
export interface ListRows {
  readonly start: number;
  readonly end: number;
  readonly copies: Uint32Array;
}

/** A list as it was read; entry `i` has a row, a factor and a code. */
export interface ListCodes {
  readonly rows: Uint32Array;
  readonly factors: Float32Array;
  /** `codeBytes(dimensions)` for each entry. */
  readonly bits: Uint8Array;
}

const STEP_BYTES = 4;
const FACTOR_BYTES = 2;
const FACTOR_STEPS = 65_535;
const VARINT_BYTES_MAX = 5;

/** Bytes of a code in a list: not padded, since no SIMD register reads it there. */
export function codeBytes(dimensions: number): number {
  return Math.ceil(dimensions / 8);
}

/**
 * Returns a list as one piece: a float32 step; for each entry its factor in steps, u16; for each entry its code; then for
 * each copy the distance of its row from the copy before it (from 0 for the first) as LEB128, seven bits a byte, lowest first.
 *
 * Rows at home need no numbers, they are consecutive. Distances took 1.2 bytes a copy over 608,095 provisions, numbers would take four.
 */
export function encodeListCodes(codes: RowCodes, rows: ListRows): Uint8Array {
  const width = codeBytes(codes.dimensions);
  const homes = rows.end - rows.start;
  const entries = homes + rows.copies.length;
  const codesAt = STEP_BYTES + entries * FACTOR_BYTES;
  const rowsAt = codesAt + entries * width;
  const bytes = new Uint8Array(rowsAt + rows.copies.length * VARINT_BYTES_MAX);
  const rowOf = (entry: number) => (entry < homes ? rows.start + entry : (rows.copies[entry - homes] ?? 0));
  let largest = 0;
  for (let entry = 0; entry < entries; entry += 1)
    largest = Math.max(largest, codes.factors[rowOf(entry)] ?? 0);
  const step = Math.fround(largest / FACTOR_STEPS);
  const view = new DataView(bytes.buffer);
  view.setFloat32(0, step, true);
  for (let entry = 0; entry < entries; entry += 1) {
    const row = rowOf(entry);
    const steps = step > 0 ? Math.round((codes.factors[row] ?? 0) / step) : 0;
    view.setUint16(STEP_BYTES + entry * FACTOR_BYTES, Math.min(FACTOR_STEPS, steps), true);
    for (let from = row * width, to = codesAt + entry * width, i = 0; i < width; i += 1)
      bytes[to + i] = codes.bits[from + i] ?? 0;
  }
  let at = rowsAt;
  let before = 0;
  for (const row of rows.copies) {
    let distance = row - before;
    before = row;
    for (; distance > 0x7f; distance >>>= 7) {
      bytes[at] = (distance & 0x7f) | 0x80;
      at += 1;
    }
    bytes[at] = distance;
    at += 1;
  }
  return bytes.slice(0, at);
}

/** Returns the list; its directory entry says how many entries there are and where its own rows start. */
export function decodeListCodes(
  bytes: Uint8Array,
  about: {
    readonly dimensions: number;
    readonly entries: number;
    readonly start: number;
    readonly end: number;
  },
): ListCodes {
  const { entries, start } = about;
  const homes = about.end - start;
  const codesAt = STEP_BYTES + entries * FACTOR_BYTES;
  const rowsAt = codesAt + entries * codeBytes(about.dimensions);
  const isWhole = bytes.byteLength >= rowsAt + Math.max(0, entries - homes);
  if (!isWhole || entries < homes)
    throw new ColdFormatError(`expected a list of ${entries} codes, got ${bytes.byteLength} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const step = view.getFloat32(0, true);
  const factors = new Float32Array(entries);
  const rows = new Uint32Array(entries);
  for (let entry = 0, at = STEP_BYTES; entry < entries; entry += 1, at += FACTOR_BYTES)
    factors[entry] = ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)) * step;
  for (let entry = 0; entry < homes; entry += 1) rows[entry] = start + entry;
  let at = rowsAt;
  let row = 0;
  for (let entry = homes; entry < entries; entry += 1) {
    let distance = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at] ?? 0;
      at += 1;
      distance |= (byte & 0x7f) << shift;
      if (byte < 0x80 || shift > 21) break;
    }
    row += distance;
    rows[entry] = row;
  }
  return { rows, factors, bits: bytes.subarray(codesAt, rowsAt) };
}
