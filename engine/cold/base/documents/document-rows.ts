/** Which document each row belongs to. */
import { type Bitmap, createBitmap } from "../../../index/bitmap.ts";
import { ColdFormatError } from "../../format-error.ts";
import { bitsFor, packNumbers, unpackNumbers } from "./document-bits.ts";

export interface DocumentRows {
  readonly residentBytes: number;
  readonly rows: number;
  readonly documents: number;
  /** True when row and document number are the same, each document having one passage. */
  readonly isIdentity: boolean;
  documentOf(row: number): number;
  rowsOf(documents: Bitmap): Bitmap;
}

/** Returns the section; nothing when each document has one passage, since documents are numbered by their first rows. */
export function encodeDocumentRows(documentOfRow: Uint32Array, documents: number): Uint8Array {
  if (documentOfRow.length === documents) return new Uint8Array(0);
  return packNumbers(documentOfRow, bitsFor(Math.max(0, documents - 1)));
}

/** Reads the section. @throws {ColdFormatError} when it does not fit the counts. */
export function decodeDocumentRows(section: Uint8Array, rows: number, documents: number): DocumentRows {
  if (documents > rows) throw new ColdFormatError(`expected at most ${rows} documents, got ${documents}`);
  if (documents === rows) {
    return {
      residentBytes: 0,
      rows,
      documents,
      isIdentity: true,
      documentOf: (row) => row,
      rowsOf: (set) => set,
    };
  }
  const numbers = unpackNumbers(section, rows, bitsFor(Math.max(0, documents - 1)));
  return {
    residentBytes: numbers.residentBytes,
    rows,
    documents,
    isIdentity: false,
    documentOf: numbers.at,
    rowsOf({ words }) {
      const set = createBitmap(rows);
      for (let row = 0; row < rows; row += 1) {
        const document = numbers.at(row);
        const bit = ((words[document >>> 5] ?? 0) >>> (document & 31)) & 1;
        set.words[row >>> 5] = (set.words[row >>> 5] ?? 0) | (bit << (row & 31));
      }
      return set;
    },
  };
}
