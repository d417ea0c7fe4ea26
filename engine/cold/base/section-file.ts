import { crc32c } from "../crc32c.ts";
import { ColdFormatError } from "../format-error.ts";
import { decodeText, encodeText } from "../utf8.ts";

/** What the first bytes of a file say about all others. */
export interface SectionFileKind {
  /** Four ASCII characters. */
  readonly magic: string;
  readonly version: number;
}

export type Sections = ReadonlyMap<string, Uint8Array>;

const FIXED_BYTES = 16;
const NAME_BYTES = 16;
const ENTRY_BYTES = NAME_BYTES + 12;
/** More would be no directory but an index. */
const SECTIONS_MAX = 64;

/**
 * Returns named sections as one object, all numbers little-endian: magic, version u16, number of sections u16, bytes of the
 * object u32, checksum of header and directory with these four bytes as 0; then for each section its name (16 bytes of
 * ASCII filled up with 0), offset, length, CRC-32C as u32; then the sections, each at a multiple of eight bytes.
 */
export function encodeSectionFile(kind: SectionFileKind, sections: Sections): Uint8Array<ArrayBuffer> {
  if (sections.size > SECTIONS_MAX) throw new RangeError(`expected at most ${SECTIONS_MAX} sections`);
  const entries = [...sections];
  const headBytes = FIXED_BYTES + entries.length * ENTRY_BYTES;
  const offsets: number[] = [];
  let total = aligned(headBytes);
  for (const [, bytes] of entries) {
    offsets.push(total);
    total = aligned(total + bytes.byteLength);
  }
  const file = new Uint8Array(total);
  const view = new DataView(file.buffer);
  file.set(encodeText(kind.magic));
  view.setUint16(4, kind.version, true);
  view.setUint16(6, entries.length, true);
  view.setUint32(8, total, true);
  entries.forEach(([name, bytes], at) => {
    const encoded = encodeText(name);
    if (encoded.byteLength > NAME_BYTES)
      throw new RangeError(`expected a name of 16 bytes at most, got ${name}`);
    const entry = FIXED_BYTES + at * ENTRY_BYTES;
    const offset = offsets[at] ?? 0;
    file.set(encoded, entry);
    view.setUint32(entry + NAME_BYTES, offset, true);
    view.setUint32(entry + NAME_BYTES + 4, bytes.byteLength, true);
    view.setUint32(entry + NAME_BYTES + 8, crc32c(bytes), true);
    file.set(bytes, offset);
  });
  view.setUint32(12, crc32c(file.subarray(0, headBytes)), true);
  return file;
}

/** Returns the sections, as views into `file`. @throws {ColdFormatError} for anything but a whole, intact file of this kind. */
export function decodeSectionFile(file: Uint8Array, kind: SectionFileKind): Sections {
  if (file.byteLength < FIXED_BYTES)
    throw new ColdFormatError(`expected a file ${kind.magic}, got ${file.byteLength} bytes`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (!encodeText(kind.magic).every((byte, at) => file[at] === byte))
    throw new ColdFormatError(`expected the bytes "${kind.magic}" first, got others`);
  const version = view.getUint16(4, true);
  if (version !== kind.version)
    throw new ColdFormatError(
      `expected version ${kind.version} of ${kind.magic}, got ${version}: written by another release`,
    );
  const declaredBytes = view.getUint32(8, true);
  if (declaredBytes !== file.byteLength)
    throw new ColdFormatError(`expected ${declaredBytes} bytes of ${kind.magic}, got ${file.byteLength}`);
  const count = view.getUint16(6, true);
  const headBytes = FIXED_BYTES + count * ENTRY_BYTES;
  if (count > SECTIONS_MAX || headBytes > file.byteLength)
    throw new ColdFormatError(`expected the directory of ${kind.magic} inside the file`);
  // Not slice: a Buffer's would share the caller's memory.
  const head = new Uint8Array(file.subarray(0, headBytes));
  new DataView(head.buffer).setUint32(12, 0, true);
  if (crc32c(head) !== view.getUint32(12, true))
    throw new ColdFormatError(`expected the header of ${kind.magic} intact, got another checksum`);
  const sections = new Map<string, Uint8Array>();
  for (let at = 0; at < count; at += 1) {
    const entry = FIXED_BYTES + at * ENTRY_BYTES;
    const name = decodeText(file.subarray(entry, entry + NAME_BYTES)).replace(/\0+$/, "");
    const offset = view.getUint32(entry + NAME_BYTES, true);
    const length = view.getUint32(entry + NAME_BYTES + 4, true);
    const bytes = file.subarray(offset, offset + length);
    if (bytes.byteLength !== length || crc32c(bytes) !== view.getUint32(entry + NAME_BYTES + 8, true))
      throw new ColdFormatError(`expected section ${name} of ${kind.magic} intact, got another checksum`);
    sections.set(name, bytes);
  }
  return sections;
}

/** Returns the section. @throws {ColdFormatError} when the file has none of this name. */
export function sectionOf(sections: Sections, name: string): Uint8Array {
  const bytes = sections.get(name);
  if (bytes === undefined) throw new ColdFormatError(`expected a section ${name}, found none`);
  return bytes;
}

function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}
