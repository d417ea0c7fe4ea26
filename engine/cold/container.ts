import { crc32c } from "./crc32c.ts";
import { ColdFormatError } from "./format-error.ts";
import { decodeText, encodeText } from "./utf8.ts";

/** Reads a range of the object; shorter than asked only when the object ends. */
export type ReadRange = (offset: number, length: number) => Promise<Uint8Array>;

/** The numbers of the sections, as in docs/cold-index.md. */
export const SECTIONS = {
  integers: 1,
  scales: 2,
  documents: 3,
  metadata: 4,
  rows: 5,
  terms: 6,
  postings: 7,
  floatChecks: 8,
  textBlocks: 9,
  floats: 10,
  texts: 11,
} as const;
export type SectionName = keyof typeof SECTIONS;
/** Read by range, checked block by block against a table in a resident section; all others are read whole when opening. */
const RANGED: readonly SectionName[] = ["floats", "texts"];

export interface Section {
  readonly offset: number;
  readonly length: number;
  readonly checksum: number;
}

/** What the header says. */
export interface Header {
  readonly passages: number;
  readonly documents: number;
  readonly dimensions: number;
  readonly model: string;
  readonly sections: Readonly<Record<SectionName, Section>>;
}

const MAGIC = 0x4753434b;
const VERSION = 1;
const FIXED_BYTES = 32;
const MODEL_BYTES = 96;
const ENTRY_BYTES = 16;
const NAMES: readonly SectionName[] = [
  "integers",
  "scales",
  "documents",
  "metadata",
  "rows",
  "terms",
  "postings",
  "floatChecks",
  "textBlocks",
  "floats",
  "texts",
];
/** Every header of this version has this length, so one read gets it. */
export const HEADER_BYTES = FIXED_BYTES + MODEL_BYTES + NAMES.length * ENTRY_BYTES;

/** Returns the object: header, then each section at a multiple of eight bytes. */
export function encodeContainer(
  about: Pick<Header, "passages" | "documents" | "dimensions" | "model">,
  parts: Readonly<Record<SectionName, Uint8Array>>,
): Uint8Array {
  let total = HEADER_BYTES;
  const offsets = NAMES.map((name) => {
    const offset = total;
    total = aligned(total + parts[name].byteLength);
    return offset;
  });
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint16(4, VERSION, true);
  view.setUint16(6, NAMES.length, true);
  view.setUint32(8, about.passages, true);
  view.setUint32(12, about.documents, true);
  view.setUint32(16, about.dimensions, true);
  view.setUint32(20, total, true);
  const model = encodeText(about.model);
  if (model.byteLength >= MODEL_BYTES)
    throw new RangeError(`expected a model id below ${MODEL_BYTES} bytes, got ${about.model}`);
  bytes.set(model, FIXED_BYTES);
  NAMES.forEach((name, i) => {
    const entry = FIXED_BYTES + MODEL_BYTES + i * ENTRY_BYTES;
    bytes.set(parts[name], offsets[i] ?? 0);
    view.setUint32(entry, SECTIONS[name], true);
    view.setUint32(entry + 4, offsets[i] ?? 0, true);
    view.setUint32(entry + 8, parts[name].byteLength, true);
    view.setUint32(entry + 12, RANGED.includes(name) ? 0 : crc32c(parts[name]), true);
  });
  view.setUint32(28, crc32c(bytes.subarray(0, HEADER_BYTES)), true);
  return bytes;
}

/** Reads and checks the header; `headerBytes` is as it was stored. */
export async function readHeader(
  read: ReadRange,
  totalBytes: number,
): Promise<{ readonly header: Header; readonly headerBytes: Uint8Array }> {
  const headerBytes = await readExactly(read, 0, HEADER_BYTES);
  return { header: decodeHeader(headerBytes.slice(), totalBytes), headerBytes };
}

function decodeHeader(bytes: Uint8Array<ArrayBuffer>, totalBytes: number): Header {
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0, true) !== MAGIC)
    throw new ColdFormatError("expected a cold segment, got other bytes at its start");
  const version = view.getUint16(4, true);
  if (version !== VERSION)
    throw new ColdFormatError(`expected version ${VERSION} of the cold segment, got ${version}`);
  const checksum = view.getUint32(28, true);
  view.setUint32(28, 0, true);
  if (crc32c(bytes) !== checksum)
    throw new ColdFormatError("expected an intact header, got another checksum");
  const declaredBytes = view.getUint32(20, true);
  if (declaredBytes !== totalBytes) {
    throw new ColdFormatError(`expected an object of ${declaredBytes} bytes, got ${totalBytes}`);
  }
  const sectionAt = (name: SectionName): Section => {
    const entry = FIXED_BYTES + MODEL_BYTES + NAMES.indexOf(name) * ENTRY_BYTES;
    if (view.getUint32(entry, true) !== SECTIONS[name])
      throw new ColdFormatError(`expected section ${name} in its place`);
    return {
      offset: view.getUint32(entry + 4, true),
      length: view.getUint32(entry + 8, true),
      checksum: view.getUint32(entry + 12, true),
    };
  };
  const model = bytes.subarray(FIXED_BYTES, FIXED_BYTES + MODEL_BYTES);
  return {
    passages: view.getUint32(8, true),
    documents: view.getUint32(12, true),
    dimensions: view.getUint32(16, true),
    model: decodeText(model.subarray(0, model.indexOf(0))),
    sections: {
      integers: sectionAt("integers"),
      scales: sectionAt("scales"),
      documents: sectionAt("documents"),
      metadata: sectionAt("metadata"),
      rows: sectionAt("rows"),
      terms: sectionAt("terms"),
      postings: sectionAt("postings"),
      floatChecks: sectionAt("floatChecks"),
      textBlocks: sectionAt("textBlocks"),
      floats: sectionAt("floats"),
      texts: sectionAt("texts"),
    },
  };
}

/** Reads all resident sections, which lie in one piece after the header, and checks each. */
export async function readResident(
  read: ReadRange,
  header: Header,
): Promise<(name: SectionName) => Uint8Array> {
  const end = header.sections.floats.offset;
  const bytes = await readExactly(read, HEADER_BYTES, end - HEADER_BYTES);
  for (const name of NAMES) {
    if (RANGED.includes(name)) continue;
    const { checksum } = header.sections[name];
    if (crc32c(sliceOf(bytes, header, name)) !== checksum) {
      throw new ColdFormatError(`expected section ${name} intact, got another checksum`);
    }
  }
  return (name) => sliceOf(bytes, header, name);
}

/** Reads a range, whole or not at all. */
export async function readExactly(read: ReadRange, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await read(offset, length);
  if (bytes.byteLength !== length) {
    throw new ColdFormatError(
      `expected ${length} bytes at ${offset}, got ${bytes.byteLength}: the object is cut off`,
    );
  }
  return bytes;
}

function sliceOf(resident: Uint8Array, header: Header, name: SectionName): Uint8Array {
  const { offset, length } = header.sections[name];
  return resident.subarray(offset - HEADER_BYTES, offset - HEADER_BYTES + length);
}

function aligned(offset: number): number {
  return Math.ceil(offset / 8) * 8;
}
