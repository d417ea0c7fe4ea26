/** Writes what a base knows about its documents. */
import { encodeText } from "../../utf8.ts";
import { type ColumnBuilder, createColumnBuilder } from "./column-builder.ts";
import { encodeColumns } from "./column-directory.ts";
import { createResidentColumnBuilder } from "./column-resident.ts";
import { canonicalJson } from "./column-value.ts";
import { type ColumnDraft, writeColumns } from "./column-writer.ts";
import type { Deflate } from "./document-frame.ts";
import { type IdentifiedDocument, writeDocumentIds } from "./document-ids.ts";
import { createGrowingNumbers } from "./document-numbers.ts";
import { encodeDocumentRows } from "./document-rows.ts";
import { createHitWriter } from "./hit-writer.ts";
import type { BaseHit } from "../parts.ts";
import { encodePieces, type PieceWriter } from "../piece.ts";
import type { Sections } from "../section-file.ts";

/** Names of the sections in the root. */
export const DOCUMENT_SECTIONS = {
  counts: "doc-counts",
  rows: "doc-rows",
  residencies: "doc-residencies",
  residencyOf: "doc-residency",
  collections: "doc-collections",
  collectionOf: "doc-collection",
  columns: "doc-columns",
  columnPieces: "doc-column-parts",
  idFirsts: "doc-ids",
  idPieces: "doc-id-parts",
  hitPieces: "hit-parts",
} as const;

/** Keys of metadata with a column of their own; all later ones share one, as their directory is resident. */
const METADATA_COLUMNS_MAX = 256;

export interface DocumentsWriter {
  /** Takes the passages of the next rows: `rowsPerBlock` of them, fewer at the end; their hits are one piece. */
  write(passages: readonly BaseHit[]): Promise<void>;
  /** Returns the sections of the root. */
  finish(): Promise<Sections>;
}

/**
 * Returns a writer for the documents of passages that come in the order of their rows.
 *
 * `deflate` compresses the hits, nine tenths of the bytes, in place of the one in JavaScript.
 * Texts pass through. What stays until the end is each document's id with some numbers, and each distinct value of each key.
 */
export function createDocumentsWriter(
  writer: PieceWriter,
  { rowsPerBlock, deflate }: { readonly rowsPerBlock: number; readonly deflate?: Deflate },
): DocumentsWriter {
  const hits = createHitWriter(writer, deflate);
  const documents = createDocumentList();
  const columns = createColumns();
  return {
    async write(passages) {
      for (const passage of passages) {
        const { document, isNew } = documents.add(passage);
        if (isNew) columns.add(document, passage);
      }
      await hits.write(passages);
    },
    async finish() {
      const count = documents.identified.length;
      const written = encodeColumns(await writeColumns(columns.drafts(), count, writer));
      const ids = await writeDocumentIds(documents.identified, writer);
      const residency = columns.residency.sections(count);
      const collection = columns.collection.sections(count);
      const rows = documents.documentOfRow();
      const counts = Uint32Array.of(rows.length, count, rowsPerBlock);
      return new Map([
        [DOCUMENT_SECTIONS.counts, new Uint8Array(counts.buffer)],
        [DOCUMENT_SECTIONS.rows, encodeDocumentRows(rows, count)],
        [DOCUMENT_SECTIONS.residencies, residency.values],
        [DOCUMENT_SECTIONS.residencyOf, residency.codes],
        [DOCUMENT_SECTIONS.collections, collection.values],
        [DOCUMENT_SECTIONS.collectionOf, collection.codes],
        [DOCUMENT_SECTIONS.columns, encodeText(written.json)],
        [DOCUMENT_SECTIONS.columnPieces, encodePieces(written.pieces)],
        [DOCUMENT_SECTIONS.idFirsts, ids.firsts],
        [DOCUMENT_SECTIONS.idPieces, ids.pieces],
        [DOCUMENT_SECTIONS.hitPieces, hits.pieces()],
      ]);
    },
  };
}

/** Numbers documents by their first rows. */
function createDocumentList() {
  const identified: (IdentifiedDocument & { readonly ordinals: number[] })[] = [];
  const numbers = new Map<string, number>();
  const documentOfRow = createGrowingNumbers();
  return {
    identified,
    documentOfRow: () => documentOfRow.first(documentOfRow.length),
    add({ documentId, version, epoch, ordinal }: BaseHit) {
      const known = numbers.get(documentId);
      const document = known ?? identified.length;
      documentOfRow.set(documentOfRow.length, document);
      if (known === undefined) {
        numbers.set(documentId, document);
        identified.push({ documentId, document, version, epoch, ordinals: [ordinal] });
      } else {
        identified[known]?.ordinals.push(ordinal);
      }
      return { document, isNew: known === undefined };
    },
  };
}

/** Collects the columns; the payload is that of a segment's directory: `published_at` is left out where there is none, `lang` is null. */
function createColumns() {
  const residency = createResidentColumnBuilder();
  const collection = createResidentColumnBuilder();
  const lang = createColumnBuilder();
  const published = createColumnBuilder();
  const rest = createColumnBuilder();
  const metadata = new Map<string, ColumnBuilder>();
  const columnOf = (key: string): ColumnBuilder | null => {
    const known = metadata.get(key);
    if (known !== undefined || metadata.size >= METADATA_COLUMNS_MAX) return known ?? null;
    const column = createColumnBuilder();
    metadata.set(key, column);
    return column;
  };
  return {
    residency,
    collection,
    add(document: number, passage: BaseHit) {
      residency.set(document, passage.residency);
      collection.set(document, passage.collection);
      lang.set(document, canonicalJson(passage.lang));
      if (passage.publishedAt !== null) published.set(document, canonicalJson(passage.publishedAt));
      const others: [string, unknown][] = [];
      for (const [key, value] of Object.entries(passage.metadata)) {
        const column = columnOf(key);
        if (column === null) others.push([key, value]);
        else column.set(document, canonicalJson(value));
      }
      if (others.length > 0) rest.set(document, canonicalJson(Object.fromEntries(others)));
    },
    drafts: (): readonly ColumnDraft[] => [
      { path: ["lang"], builder: lang },
      { path: ["published_at"], builder: published },
      ...Array.from(metadata, ([key, builder]) => ({ path: ["metadata", key], builder })),
      ...(rest.characters > 0 ? [{ path: ["metadata"], builder: rest }] : []),
    ],
  };
}
