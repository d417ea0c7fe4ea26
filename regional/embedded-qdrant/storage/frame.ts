/** One checksummed record of a file. */
import { crc32 } from "node:zlib";

/** magic 4 · body length 4 · version 8 · checksum of the body 4 · checksum of this header 4. */
export const HEADER_BYTES = 24;
const MAGIC = Buffer.from("KQF1");
const VERSION_AT = 8;
const BODY_CHECKSUM_AT = 16;
const HEADER_CHECKSUM_AT = 20;

export interface Frame {
  readonly version: number;
  readonly body: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

/** Returns header and body, which are written together. */
export function encodeFrame(version: number, body: Buffer): readonly [Buffer, Buffer] {
  const header = Buffer.alloc(HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(body.length, 4);
  header.writeBigUInt64LE(BigInt(version), VERSION_AT);
  header.writeUInt32LE(crc32(body), BODY_CHECKSUM_AT);
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_CHECKSUM_AT)), HEADER_CHECKSUM_AT);
  return [header, body];
}

/** Returns the frame that begins at `at`, or null when none does in full and unharmed. */
export function frameAt(bytes: Buffer, at: number): Frame | null {
  if (at + HEADER_BYTES > bytes.length) return null;
  const header = bytes.subarray(at, at + HEADER_BYTES);
  if (!header.subarray(0, MAGIC.length).equals(MAGIC)) return null;
  if (crc32(header.subarray(0, HEADER_CHECKSUM_AT)) !== header.readUInt32LE(HEADER_CHECKSUM_AT)) return null;
  const start = at + HEADER_BYTES;
  const end = start + header.readUInt32LE(4);
  if (end > bytes.length) return null;
  const body = bytes.subarray(start, end);
  if (crc32(body) !== header.readUInt32LE(BODY_CHECKSUM_AT)) return null;
  return { version: Number(header.readBigUInt64LE(VERSION_AT)), body, end };
}

/** Finds out whether an unharmed frame begins anywhere after `from`: if so, what is broken at `from` is no torn end. */
export function hasFrameAfter(bytes: Buffer, from: number): boolean {
  for (let at = bytes.indexOf(MAGIC, from + 1); at !== -1; at = bytes.indexOf(MAGIC, at + 1)) {
    if (frameAt(bytes, at) !== null) return true;
  }
  return false;
}
