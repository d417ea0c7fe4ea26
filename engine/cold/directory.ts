import type { FilterablePoint } from "../filter/compile.ts";
import { type Bitmap, createBitmap, setBit } from "../index/bitmap.ts";
import { compareCodeUnits } from "../index/ranking.ts";
import type { FilterableSlots } from "../index/select-slots.ts";
import { type Column, decodeDocuments, decodeMetadata, type DocumentTable } from "./document-table.ts";
import type { ColdPassage } from "./passage.ts";

/** What a segment knows about its rows without their vectors and texts; also what filters are applied to. */
export interface SegmentDirectory extends FilterableSlots {
  readonly bytes: number;
  readonly table: DocumentTable;
  /** The number of the row's document. */
  readonly documentOf: (row: number) => number;
  readonly metadataOf: (document: number) => Readonly<Record<string, unknown>>;
  passageAt(row: number): Omit<ColdPassage, "dense" | "sparse" | "title" | "text" | "metadata">;
}

/** Builds the directory from three sections that passed their checksums. */
// oxlint-disable-next-line max-lines-per-function -- a factory: its verbs share state that they alone may touch
export function createDirectory(sections: {
  readonly documents: Uint8Array;
  readonly metadata: Uint8Array;
  readonly ordinals: Uint32Array;
}): SegmentDirectory {
  const { ordinals } = sections;
  const table = decodeDocuments(sections.documents);
  const metadataOf = decodeMetadata(sections.metadata);
  const documents = new Uint32Array(ordinals.length);
  table.firstRows.forEach((first, document) => {
    documents.fill(document, first, table.firstRows[document + 1] ?? ordinals.length);
  });
  const documentOf = (row: number) => documents[row] ?? 0;
  const bitmaps = new Map<string, Bitmap>();
  const payloads = createPayloadMemory(table, metadataOf);

  /** Made at first use: residency and collection are asked for by every query, most languages by none. */
  function slotsOfColumn(key: string, column: Column<string | null>, value: unknown): Bitmap {
    const name = JSON.stringify([key, value]);
    const known = bitmaps.get(name);
    if (known !== undefined) return known;
    const number = column.values.findIndex((other) => other === value);
    const bitmap = createBitmap(number === -1 ? 0 : ordinals.length);
    if (number === -1) return bitmap;
    for (let row = 0; row < ordinals.length; row += 1)
      if (column.of[documentOf(row)] === number) setBit(bitmap, row);
    bitmaps.set(name, bitmap);
    return bitmap;
  }

  return {
    table,
    documentOf,
    metadataOf,
    // A parsed document costs about 150 bytes beside its id's characters.
    bytes:
      sections.metadata.byteLength +
      ordinals.byteLength * 2 +
      sections.documents.byteLength +
      table.ids.length * 100,
    passageAt(row) {
      const document = documentOf(row);
      return {
        documentId: table.ids[document] ?? "",
        ordinal: ordinals[row] ?? 0,
        version: table.versions[document] ?? "0",
        epoch: table.epochs[document] ?? 0,
        residency: valueIn(table.residencies, document) ?? "",
        collection: valueIn(table.collections, document) ?? "",
        lang: valueIn(table.langs, document) ?? null,
        publishedAt: valueIn(table.published, document) ?? null,
      };
    },
    point(row): FilterablePoint {
      const document = documentOf(row);
      const documentId = table.ids[document] ?? "";
      return {
        id: `${documentId}#${ordinals[row] ?? 0}`,
        otherIds: [documentId],
        payload: payloads(document),
      };
    },
    slotsWith(key, value) {
      if (key === "residency") return slotsOfColumn(key, table.residencies, value);
      if (key === "collection") return slotsOfColumn(key, table.collections, value);
      if (key === "lang") return slotsOfColumn(key, table.langs, value);
      return null;
    },
    *slotsOf(id) {
      const hash = id.lastIndexOf("#");
      const document = findDocument(table.ids, hash === -1 ? id : id.slice(0, hash));
      if (document === -1) return;
      const ordinal = hash === -1 ? null : id.slice(hash + 1);
      const end = table.firstRows[document + 1] ?? ordinals.length;
      for (let row = table.firstRows[document] ?? 0; row < end; row += 1) {
        if (ordinal === null || String(ordinals[row]) === ordinal) yield row;
      }
    },
  };
}

/** Remembers the last document's payload: a filter visits the rows of a document one after another. */
function createPayloadMemory(
  table: DocumentTable,
  metadataOf: SegmentDirectory["metadataOf"],
): (document: number) => FilterablePoint["payload"] {
  let last = -1;
  let payload: FilterablePoint["payload"] = {};
  return (document) => {
    if (document !== last) {
      const publishedAt = valueIn(table.published, document) ?? null;
      payload = {
        ...(publishedAt === null ? {} : { published_at: publishedAt }),
        residency: valueIn(table.residencies, document),
        collection: valueIn(table.collections, document),
        lang: valueIn(table.langs, document),
        metadata: metadataOf(document),
      };
      last = document;
    }
    return payload;
  };
}

function valueIn<Value>(column: Column<Value>, document: number): Value | undefined {
  return column.values[column.of[document] ?? 0];
}

function findDocument(ids: readonly string[], wanted: string): number {
  let low = 0;
  let high = ids.length - 1;
  while (low <= high) {
    const middle = (low + high) >>> 1;
    const order = compareCodeUnits(ids[middle] ?? "", wanted);
    if (order === 0) return middle;
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
