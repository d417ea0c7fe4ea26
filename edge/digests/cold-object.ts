/** An object of a bucket as a comparison reads it: past every cache, and piece by piece. */
import { decodeDirectory } from "@kattegat/engine/cold/base/dense/dense-directory.ts";
import { openDocuments } from "@kattegat/engine/cold/base/documents/document-part.ts";
import { piecesOf, type ReadObject } from "@kattegat/engine/cold/base/object-pieces.ts";
import { ROOT_KIND } from "@kattegat/engine/cold/base/root.ts";
import { decodeSectionFile } from "@kattegat/engine/cold/base/section-file.ts";
import { rootKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ManifestBase, ManifestSegment } from "@kattegat/engine/cold/manifest.ts";
import { decodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { openSegment } from "@kattegat/engine/cold/segment.ts";
import { createBitmap, setBit } from "@kattegat/engine/index/bitmap.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";

export interface ListedDocument {
  /** Its place in what the object lists. */
  readonly number: number;
  readonly documentId: string;
  readonly version: string;
}

export interface RowReading {
  readonly row: number;
  /** Whether texts or vectors are not as they were written. */
  readonly isDamaged: boolean;
  /** Null where they cannot be read. */
  readonly class: string | null;
  readonly document: Pick<ListedDocument, "documentId" | "version"> | null;
}

/** Every method throws a `ColdFormatError` where what it needs is missing or damaged. */
export interface ColdObject {
  readonly key: string;
  readonly rows: number;
  documents(): AsyncIterable<ListedDocument>;
  isHidden(document: Pick<ListedDocument, "number" | "documentId">): boolean;
  documentOf(row: number): number;
  rowsOf(documents: ReadonlySet<number>): readonly number[];
  /** Reads the rows' texts and vectors; resolves in their order. */
  readRows(rows: readonly number[]): Promise<readonly RowReading[]>;
}

/** Fewer bytes come when the object is shorter, none when it is gone. */
export function readerOf(bucket: R2Bucket): ReadObject {
  return async (key, offset, length) => {
    if (length === 0) return new Uint8Array();
    const object = await bucket.get(key, { range: { offset, length } }).catch((error: unknown) => {
      // The range begins behind the end of an object that was cut off.
      if (error instanceof Error && /range/i.test(error.message)) return null;
      throw error;
    });
    return object === null ? new Uint8Array() : new Uint8Array(await object.arrayBuffer());
  };
}

export async function openColdSegment(
  { key, bytes: totalBytes, checksum, tombstones }: ManifestSegment,
  { read, scanner }: { readonly read: ReadObject; readonly scanner: Scanner },
): Promise<ColdObject> {
  const segment = await openSegment((offset, length) => read(key, offset, length), {
    scanner,
    totalBytes,
    checksum,
  });
  const hidden = new Set(tombstones);
  const documents = [...segment.documents()];
  const ofRow = documents.flatMap(({ passages }, number) => Array<number>(passages).fill(number));
  return {
    key,
    rows: segment.passages,
    async *documents() {
      for (const [number, { documentId, version }] of documents.entries())
        yield { number, documentId, version };
    },
    isHidden: ({ documentId }) => hidden.has(documentId),
    documentOf: (row) => ofRow[row] ?? 0,
    rowsOf: (wanted) => ofRow.flatMap((number, row) => (wanted.has(number) ? [row] : [])),
    async readRows(rows) {
      const damaged = await segment.damagedIn(rows);
      return rows.map((row) => ({
        row,
        isDamaged: damaged.has(row),
        class: documents[ofRow[row] ?? 0]?.residency ?? null,
        document: documents[ofRow[row] ?? 0] ?? null,
      }));
    },
  };
}

export async function openColdBase(base: ManifestBase, readObject: ReadObject): Promise<ColdObject> {
  const sections = decodeSectionFile(await readObject(rootKey(base), 0, base.root.bytes), ROOT_KIND);
  const part = openDocuments(sections);
  const { rowPieces, rowsPerBlock } = decodeDirectory(sections);
  const read = piecesOf({ key: base.key }, readObject);
  const dead = new Set(decodeNumbers(base.tombstones));
  return {
    key: base.key,
    rows: part.rows,
    async *documents() {
      for await (const { document, documentId, version } of part.documentsOf(read))
        yield { number: document, documentId, version };
    },
    isHidden: ({ number }) => dead.has(number),
    documentOf: part.documentOf,
    rowsOf(wanted) {
      const set = createBitmap(part.documents);
      for (const number of wanted) setBit(set, number);
      const { words } = part.rowsOf(set);
      const rows: number[] = [];
      for (let row = 0; row < part.rows; row += 1)
        if (((words[row >>> 5] ?? 0) >>> (row & 31)) & 1) rows.push(row);
      return rows;
    },
    async readRows(rows) {
      const blocks = [...new Set(rows.map((row) => Math.floor(row / rowsPerBlock)))];
      const vectors = await read(blocks.map((block) => rowPieces.at(block)));
      const lost = new Set(blocks.filter((_, at) => vectors[at] === null));
      const hits = await part.hits(rows, read);
      return rows.map((row, at) => ({
        row,
        isDamaged: hits[at] === null || lost.has(Math.floor(row / rowsPerBlock)),
        class: hits[at]?.residency ?? null,
        document: hits[at] ?? null,
      }));
    },
  };
}
