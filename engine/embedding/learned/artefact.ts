import { decodeSectionFile, encodeSectionFile, sectionOf } from "../../cold/base/section-file.ts";
import { crc32c } from "../../cold/crc32c.ts";
import { ColdFormatError } from "../../cold/format-error.ts";
import { decodeText, encodeText } from "../../cold/utf8.ts";
import { bytesOf, numbersOf, shortsOf } from "./artefact-numbers.ts";
import { parseAbout, type ArtefactAbout } from "./artefact-about.ts";
import { digestOf } from "./artefact-digest.ts";

/** The first bytes of a head; another arithmetic over the same bytes is another version. */
export const HEAD_KIND = { magic: "KLEH", version: 1 } as const;
/** Rows of a page: 12 KiB at 384 dimensions, which a read from object storage brings as fast as one row. */
export const PAGE_ROWS = 32;
/** An isolate keeps 24 MB resident in all; the head takes a third. */
export const HEAD_BYTES_MAX = 8_000_000;

/** What training gives: rows in the order of falling frequency, keys in the same order. */
export interface ArtefactContent {
  readonly dimensions: number;
  readonly passages: number;
  readonly sampled: number;
  readonly seed: number;
  /** Residency classes of the documents that the texts are of. */
  readonly classes: readonly string[];
  /** Length of the row of a word that has none. */
  readonly unknownLength: number;
  readonly hashes: Uint32Array;
  readonly checks: Uint16Array;
  /** Row records, see {@link rowBytes}. */
  readonly rows: Uint8Array;
  /** Ascending. */
  readonly gramHashes: Uint32Array;
  readonly gramRows: Uint8Array;
}

/** A trained embedding as it is stored: the head is kept in memory, the rows are read by range. */
export interface Artefact {
  readonly model: string;
  readonly head: Uint8Array<ArrayBuffer>;
  readonly rows: Uint8Array;
}

/** Where the rows of a page are in the object of rows. */
export interface PageRange {
  readonly offset: number;
  readonly length: number;
  readonly checksum: number;
}

/** The opened head. */
export interface ArtefactHead {
  readonly about: ArtefactAbout;
  /** Ascending; equal ones by check. */
  readonly hashes: Uint32Array;
  readonly checks: Uint16Array;
  /** For each key its row: 0 is the most frequent word. */
  readonly ranks: Uint32Array;
  readonly residentRows: Uint8Array;
  readonly gramHashes: Uint32Array;
  readonly gramRows: Uint8Array;
  readonly pages: number;
  page(number: number): PageRange;
}

/** Bytes of a row: a float32 scale, then one int8 for each dimension. */
export function rowBytes(dimensions: number): number {
  return 4 + dimensions;
}

/** Returns head and rows; the name follows from all their bytes. */
export function encodeArtefact(
  content: ArtefactContent,
  { headBytesMax = HEAD_BYTES_MAX }: { readonly headBytesMax?: number } = {},
): Artefact {
  const { dimensions, rows, hashes } = content;
  const size = rowBytes(dimensions);
  const words = hashes.length;
  const fixedBytes = 4_096 + words * 10 + content.gramHashes.length * 4 + content.gramRows.byteLength;
  const checksumBytes = (words / PAGE_ROWS) * 4;
  const residentWords = Math.max(
    0,
    Math.min(words, Math.floor((headBytesMax - fixedBytes - checksumBytes) / size)),
  );
  const paged = rows.subarray(residentWords * size);
  const pageBytes = PAGE_ROWS * size;
  const checksums = Uint32Array.from({ length: Math.ceil(paged.byteLength / pageBytes) }, (_, page) =>
    crc32c(paged.subarray(page * pageBytes, (page + 1) * pageBytes)),
  );
  const sections = new Map([...keySections(content), ["rows", rows.subarray(0, residentWords * size)]]);
  sections.set("grams", bytesOf(content.gramHashes));
  sections.set("gramRows", content.gramRows);
  sections.set("pages", bytesOf(checksums));
  const described = {
    dimensions,
    words,
    resident_words: residentWords,
    grams: content.gramHashes.length,
    page_rows: PAGE_ROWS,
    rows_bytes: paged.byteLength,
    unknown_length: Math.fround(content.unknownLength),
    passages: content.passages,
    sampled: content.sampled,
    seed: content.seed,
    classes: content.classes.toSorted(),
  };
  const digest = digestOf([encodeText(JSON.stringify(described)), ...sections.values()]);
  const model = `learned-${dimensions}-${digest}`;
  sections.set("about", encodeText(JSON.stringify({ model, ...described })));
  return { model, head: encodeSectionFile(HEAD_KIND, sections), rows: paged };
}

/** Returns the head, as views into `bytes`. @throws {ColdFormatError} for anything but a whole, intact head of this version. */
export function openHead(bytes: Uint8Array): ArtefactHead {
  const sections = decodeSectionFile(bytes, HEAD_KIND);
  const about = parseAbout(decodeText(sectionOf(sections, "about")));
  const size = rowBytes(about.dimensions);
  const sized = (name: string, length: number): Uint8Array => {
    const section = sectionOf(sections, name);
    if (section.byteLength !== length)
      throw new ColdFormatError(`expected ${length} bytes of ${name}, got ${section.byteLength}`);
    return section;
  };
  const pageBytes = about.page_rows * size;
  const pages = Math.ceil(about.rows_bytes / pageBytes);
  const checksums = numbersOf(sized("pages", pages * 4));
  return {
    about,
    hashes: numbersOf(sized("hashes", about.words * 4)),
    checks: shortsOf(sized("checks", about.words * 2)),
    ranks: numbersOf(sized("ranks", about.words * 4)),
    residentRows: sized("rows", about.resident_words * size),
    gramHashes: numbersOf(sized("grams", about.grams * 4)),
    gramRows: sized("gramRows", about.grams * size),
    pages,
    page(number) {
      if (number < 0 || number >= pages)
        throw new RangeError(`expected a page below ${pages}, got ${number}`);
      const offset = number * pageBytes;
      const length = Math.min(pageBytes, about.rows_bytes - offset);
      return { offset, length, checksum: checksums[number] ?? 0 };
    },
  };
}

/** Returns whether these are the bytes that the head says stand there. */
export function isIntact(page: PageRange, bytes: Uint8Array): boolean {
  return bytes.byteLength === page.length && crc32c(bytes) === page.checksum;
}

/** @throws {ColdFormatError} when these are not the rows of this head, whole. */
export function checkRows(head: ArtefactHead, rows: Uint8Array): void {
  const { rows_bytes: expected } = head.about;
  if (rows.byteLength !== expected)
    throw new ColdFormatError(`expected ${expected} bytes of rows, got ${rows.byteLength}`);
  for (let number = 0; number < head.pages; number += 1) {
    const page = head.page(number);
    if (!isIntact(page, rows.subarray(page.offset, page.offset + page.length)))
      throw new ColdFormatError(`expected page ${number} of rows intact, got another checksum`);
  }
}

/** Sorts the keys, so that a word is found by halving. */
function keySections({ hashes, checks }: ArtefactContent): [string, Uint8Array][] {
  const order = Uint32Array.from(hashes, (_, rank) => rank).sort(
    (left, right) =>
      (hashes[left] ?? 0) - (hashes[right] ?? 0) ||
      (checks[left] ?? 0) - (checks[right] ?? 0) ||
      left - right,
  );
  return [
    ["hashes", bytesOf(order.map((rank) => hashes[rank] ?? 0))],
    ["checks", bytesOf(Uint16Array.from(order, (rank) => checks[rank] ?? 0))],
    ["ranks", bytesOf(order)],
  ];
}
