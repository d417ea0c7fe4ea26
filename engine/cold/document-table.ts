import { ColdFormatError } from "./format-error.ts";
import type { ColdPassage } from "./passage.ts";
import { decodeText, encodeText } from "./utf8.ts";

/** The documents of a segment, ordered by id in code units. */
export interface DocumentTable {
  readonly ids: readonly string[];
  readonly versions: readonly string[];
  readonly epochs: readonly number[];
  readonly residencies: Column<string>;
  readonly collections: Column<string>;
  readonly langs: Column<string | null>;
  readonly published: Column<string | null>;
  /** The row of each document's first passage. */
  readonly firstRows: readonly number[];
}

/** Values kept once, and which of them each document has. */
export interface Column<Value> {
  readonly values: readonly Value[];
  readonly of: readonly number[];
}

/** Returns the two sections: the columns as JSON, the metadata of each document as JSON behind a table of offsets. */
export function encodeDocuments(passages: readonly ColdPassage[]): {
  readonly documents: Uint8Array;
  readonly metadata: Uint8Array;
  readonly documentCount: number;
} {
  const firsts: { passage: ColdPassage; row: number }[] = [];
  passages.forEach((passage, row) => {
    if (passage.documentId !== firsts.at(-1)?.passage.documentId) firsts.push({ passage, row });
  });
  const table: DocumentTable = {
    ids: firsts.map(({ passage }) => passage.documentId),
    versions: firsts.map(({ passage }) => passage.version),
    epochs: firsts.map(({ passage }) => passage.epoch),
    residencies: columnOf(firsts.map(({ passage }) => passage.residency)),
    collections: columnOf(firsts.map(({ passage }) => passage.collection)),
    langs: columnOf(firsts.map(({ passage }) => passage.lang)),
    published: columnOf(firsts.map(({ passage }) => passage.publishedAt)),
    firstRows: firsts.map(({ row }) => row),
  };
  const blobs = firsts.map(({ passage }) => encodeText(JSON.stringify(passage.metadata)));
  const start = (blobs.length + 1) * 4;
  const metadata = new Uint8Array(start + blobs.reduce((sum, blob) => sum + blob.byteLength, 0));
  const view = new DataView(metadata.buffer);
  let at = start;
  blobs.forEach((blob, i) => {
    view.setUint32(i * 4, at, true);
    metadata.set(blob, at);
    at += blob.byteLength;
  });
  view.setUint32(blobs.length * 4, at, true);
  return { documents: encodeText(JSON.stringify(table)), metadata, documentCount: firsts.length };
}

/** Returns the columns of a section that passed its checksum. */
export function decodeDocuments(bytes: Uint8Array): DocumentTable {
  const parsed: unknown = JSON.parse(decodeText(bytes));
  if (!isDocumentTable(parsed)) throw new ColdFormatError("expected a document table, got other JSON");
  return parsed;
}

/** Returns a function that gives the metadata of a document by its number. */
export function decodeMetadata(bytes: Uint8Array): (document: number) => Readonly<Record<string, unknown>> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (document) => {
    const text = decodeText(
      bytes.subarray(view.getUint32(document * 4, true), view.getUint32(document * 4 + 4, true)),
    );
    const parsed: unknown = JSON.parse(text);
    if (!isRecord(parsed))
      throw new ColdFormatError(`expected metadata to be an object, got ${text.slice(0, 40)}`);
    return parsed;
  };
}

function columnOf<Value>(items: readonly Value[]): Column<Value> {
  const numbers = new Map<Value, number>();
  const of = items.map((item) => {
    const number = numbers.get(item) ?? numbers.size;
    numbers.set(item, number);
    return number;
  });
  return { values: [...numbers.keys()], of };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isDocumentTable(value: unknown): value is DocumentTable {
  if (!isRecord(value)) return false;
  const isColumn = (column: unknown) =>
    isRecord(column) && Array.isArray(column["values"]) && Array.isArray(column["of"]);
  return (
    ["ids", "versions", "epochs", "firstRows"].every((name) => Array.isArray(value[name])) &&
    ["residencies", "collections", "langs", "published"].every((name) => isColumn(value[name]))
  );
}
