import type { SparseVector } from "./bm25.ts";
import { TermCounts } from "./term-counts.ts";

/** In how many passages each term stands, under a version that names this state. */
export interface TermStatistics {
  readonly version: string;
  readonly passages: number;
  /** Returns the number of passages that hold the term; 1 for a term that is not listed. */
  df(termId: number): number;
}

/** What is wrong with the bytes of a statistics table. */
export type StatisticsFault = "too_short" | "magic" | "format" | "checksum" | "length" | "order";

/** Thrown when bytes are not a statistics table that this code can read. */
export class StatisticsFormatError extends Error {
  readonly reason: StatisticsFault;
  constructor(reason: StatisticsFault, message: string) {
    super(`term statistics: ${message}`);
    this.name = "StatisticsFormatError";
    this.reason = reason;
  }
}

/** A term of fewer passages is not listed: a rare term is an index key that would leak a document's content to every edge. */
export const LISTED_PASSAGES_MIN = 3;
/** "KTST" read as a little-endian number. */
const MAGIC = 0x5453544b;
const FORMAT = 1;
const HEADER_BYTES = 24;
const CHECKSUM_BYTES = 4;
/** A version is a sequence or a short label in ASCII. */
const VERSION_BYTES_MAX = 64;

/** What a table is made of; `ids` ascending without repeats, `counts` beside them. */
export interface StatisticsContent {
  readonly version: string;
  readonly passages: number;
  readonly ids: Uint32Array;
  readonly counts: Uint32Array;
}

/**
 * Returns the table as bytes, all numbers little-endian.
 *
 * magic u32, format u16, version length u16, passages f64, terms u32, zero u32, version padded to four bytes, ids u32[],
 * counts u32[], CRC-32 of all before it. Terms of fewer than three passages are left out here, whatever the caller gives.
 */
export function encodeStatistics({ version, passages, ids, counts }: StatisticsContent): Uint8Array {
  assertVersion(version);
  const listed: number[] = [];
  for (let i = 0; i < ids.length; i += 1) if ((counts[i] ?? 0) >= LISTED_PASSAGES_MIN) listed.push(i);
  const idsAt = HEADER_BYTES + padded(version.length);
  const countsAt = idsAt + listed.length * 4;
  const checksumAt = countsAt + listed.length * 4;
  const bytes = new Uint8Array(checksumAt + CHECKSUM_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, FORMAT, true);
  view.setUint16(6, version.length, true);
  view.setFloat64(8, passages, true);
  view.setUint32(16, listed.length, true);
  for (let i = 0; i < version.length; i += 1) bytes[HEADER_BYTES + i] = version.charCodeAt(i);
  for (const [row, i] of listed.entries()) {
    view.setUint32(idsAt + row * 4, ids[i] ?? 0, true);
    view.setUint32(countsAt + row * 4, counts[i] ?? 0, true);
  }
  view.setUint32(checksumAt, crc32(bytes.subarray(0, checksumAt)), true);
  return bytes;
}

/** Returns the table in the bytes; throws {@link StatisticsFormatError} for anything but a whole table of this format. */
export function decodeStatistics(bytes: Uint8Array): TermStatistics {
  if (bytes.length < HEADER_BYTES + CHECKSUM_BYTES)
    throw new StatisticsFormatError(
      "too_short",
      `expected at least ${HEADER_BYTES + CHECKSUM_BYTES} bytes, got ${bytes.length}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0, true) !== MAGIC)
    throw new StatisticsFormatError(
      "magic",
      `expected the bytes "KTST" first, got 0x${view.getUint32(0, false).toString(16).padStart(8, "0")}`,
    );
  const format = view.getUint16(4, true);
  if (format !== FORMAT)
    throw new StatisticsFormatError(
      "format",
      `expected format ${FORMAT}, got ${format}: written by another release`,
    );
  const versionBytes = view.getUint16(6, true);
  const terms = view.getUint32(16, true);
  const idsAt = HEADER_BYTES + padded(versionBytes);
  const checksumAt = idsAt + terms * 8;
  if (bytes.length !== checksumAt + CHECKSUM_BYTES)
    throw new StatisticsFormatError(
      "length",
      `expected ${checksumAt + CHECKSUM_BYTES} bytes for ${terms} terms, got ${bytes.length}`,
    );
  const expected = view.getUint32(checksumAt, true);
  const actual = crc32(bytes.subarray(0, checksumAt));
  if (expected !== actual)
    throw new StatisticsFormatError(
      "checksum",
      `expected checksum ${expected}, got ${actual}: the bytes were damaged`,
    );
  const ids = readUint32s(view, idsAt, terms);
  const counts = readUint32s(view, idsAt + terms * 4, terms);
  for (let i = 1; i < ids.length; i += 1) {
    if ((ids[i] ?? 0) <= (ids[i - 1] ?? 0))
      throw new StatisticsFormatError("order", `expected ascending term ids, row ${i} is not`);
  }
  let version = "";
  for (let i = 0; i < versionBytes; i += 1) version += String.fromCharCode(bytes[HEADER_BYTES + i] ?? 0);
  return { version, passages: view.getFloat64(8, true), df: (termId) => find(ids, counts, termId) };
}

/** Returns the statistics of no passages, for a network that has published none. */
export function emptyStatistics(): TermStatistics {
  return { version: "0", passages: 0, df: () => 1 };
}

/** Counts terms as passages come, as they go; the primary holds one. */
export class StatisticsCounter {
  readonly #counts = new TermCounts();
  #passages = 0;

  get passages(): number {
    return this.#passages;
  }

  /** Returns the exact count of passages with the term, 0 for none. */
  df(termId: number): number {
    return this.#counts.get(termId);
  }

  add(vector: SparseVector): void {
    for (const id of vector.indices) this.#counts.increment(id);
    this.#passages += 1;
  }

  /** Takes back one vector that was added; throws, with nothing changed, when it cannot have been. */
  remove(vector: SparseVector): void {
    if (this.#passages === 0) throw new RangeError("statistics: removed a passage that was never added");
    for (const id of vector.indices) {
      if (this.#counts.get(id) === 0)
        throw new RangeError(`statistics: removed term ${id} that was never added`);
    }
    for (const id of vector.indices) this.#counts.decrement(id);
    this.#passages -= 1;
  }

  /** Returns the table to publish. */
  encode(version: string): Uint8Array {
    const ids = this.#counts.idsFrom(LISTED_PASSAGES_MIN);
    const counts = Uint32Array.from(ids, (id) => this.#counts.get(id));
    return encodeStatistics({ version, passages: this.#passages, ids, counts });
  }
}

function assertVersion(version: string): void {
  if (version.length > VERSION_BYTES_MAX || !/^[\x21-\x7e]+$/.test(version)) {
    throw new RangeError(
      `statistics version: expected 1 to ${VERSION_BYTES_MAX} printable ASCII characters, got ${JSON.stringify(version.slice(0, 80))}`,
    );
  }
}

function find(ids: Uint32Array, counts: Uint32Array, termId: number): number {
  let low = 0;
  let high = ids.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const id = ids[middle] ?? 0;
    if (id === termId) return counts[middle] ?? 1;
    if (id < termId) low = middle + 1;
    else high = middle - 1;
  }
  return 1;
}

function readUint32s(view: DataView, offset: number, count: number): Uint32Array {
  const numbers = new Uint32Array(count);
  for (let i = 0; i < count; i += 1) numbers[i] = view.getUint32(offset + i * 4, true);
  return numbers;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

/** CRC-32 of ISO 3309: finds every damage of up to 32 bits in a row. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 255] ?? 0);
  return (crc ^ 0xffffffff) >>> 0;
}
