/** What a base knows about its documents, read by need. */
import type { Filter } from "@kattegat/protocol/filter.ts";
import { parsePath } from "../../../filter/path.ts";
import { type Bitmap, createBitmap, setBit } from "../../../index/bitmap.ts";
import { ColdFormatError } from "../../format-error.ts";
import { type Column, decodeColumns } from "./column-directory.ts";
import { createProbe, type KeyCondition, keyOf } from "./column-probe.ts";
import { decodeResidentColumn, type ResidentColumn } from "./column-resident.ts";
import { selectByColumn } from "./column-select.ts";
import { ABSENT } from "./column-value.ts";
import { fullBitmap } from "./document-bitmap.ts";
import { idConditionsIn } from "./document-condition.ts";
import { decodeDocumentIds, type DocumentIds } from "./document-ids.ts";
import { createRawReader, type PieceMemory, type ReadRaw } from "./document-pieces.ts";
import { decodeDocumentRows, type DocumentRows } from "./document-rows.ts";
import { selectByFilter } from "./document-select.ts";
import { DOCUMENT_SECTIONS } from "./document-writer.ts";
import { decodeHitBlocks } from "./hit-reader.ts";
import type { DocumentPart } from "../parts.ts";
import { type Sections, sectionOf } from "../section-file.ts";

/** What is decided without a read, and what must be read for the rest. */
interface Payloads {
  readonly resident: ReadonlyMap<string, ResidentColumn>;
  /** By the JSON of its path. */
  readonly columns: ReadonlyMap<string, Column>;
  readonly ids: DocumentIds;
  readonly rows: DocumentRows;
}

/** Opens the sections of a root. @throws {ColdFormatError} when one is missing or is something else. */
export function openDocuments(
  sections: Sections,
  { memory = null }: { readonly memory?: PieceMemory | null } = {},
): DocumentPart {
  const section = (name: keyof typeof DOCUMENT_SECTIONS) => sectionOf(sections, DOCUMENT_SECTIONS[name]);
  const counts = section("counts");
  if (counts.byteLength !== 12) throw new ColdFormatError("expected the counts of rows and documents");
  const view = new DataView(counts.buffer, counts.byteOffset);
  const rows = decodeDocumentRows(section("rows"), view.getUint32(0, true), view.getUint32(4, true));
  const residency = decodeResidentColumn(section("residencies"), section("residencyOf"), rows.documents);
  const collection = decodeResidentColumn(section("collections"), section("collectionOf"), rows.documents);
  const directory = decodeColumns(section("columns"), section("columnPieces"));
  const ids = decodeDocumentIds(section("idFirsts"), section("idPieces"));
  const blocks = decodeHitBlocks(section("hitPieces"), {
    rows: rows.rows,
    rowsPerBlock: view.getUint32(8, true),
  });
  const payloads: Payloads = {
    resident: new Map([
      ["residency", residency],
      ["collection", collection],
    ]),
    columns: new Map(directory.columns.map((column) => [JSON.stringify(column.path), column])),
    ids,
    rows,
  };
  return {
    residentBytes: [rows, residency, collection, directory, ids, blocks].reduce(
      (sum, part) => sum + part.residentBytes,
      0,
    ),
    rows: rows.rows,
    documents: rows.documents,
    classes: residency.values,
    collections: collection.values,
    documentOf: rows.documentOf,
    rowsOf: rows.rowsOf,
    select: (filter, read) => select(filter, payloads, createRawReader(read, memory)),
    hits: blocks.hits,
    hitPieces: blocks.pieces,
    // Read once, at a start or for a merge: in the memory it would only displace what searches ask for.
    documentsOf: (read) => ids.all(createRawReader(read, null)),
    readRows: blocks.range,
  };
}

/** Decides by document where no passage is named, since there are fewer documents than rows. */
async function select(filter: Filter, payloads: Payloads, read: ReadRaw): Promise<Bitmap | null> {
  const { rows } = payloads;
  const isByRow =
    !rows.isIdentity &&
    idConditionsIn(filter).some(({ has_id }) => has_id.some((id) => String(id).includes("#")));
  const rowsOf = (set: Bitmap | null) => (set === null ? null : rows.rowsOf(set));
  if (isByRow) {
    return await selectByFilter(filter, {
      units: rows.rows,
      byKey: async (condition) => rowsOf(await documentsByKey(condition, payloads, read)),
      byIds: (wanted) => rowsByIds(wanted, payloads, read),
    });
  }
  return rowsOf(
    await selectByFilter(filter, {
      units: rows.documents,
      byKey: (condition) => documentsByKey(condition, payloads, read),
      byIds: (wanted) =>
        rows.isIdentity ? rowsByIds(wanted, payloads, read) : documentsByIds(wanted, payloads, read),
    }),
  );
}

async function documentsByKey(
  condition: KeyCondition,
  { resident, columns, rows: { documents } }: Payloads,
  read: ReadRaw,
): Promise<Bitmap | null> {
  const [top = "", key] = parsePath(keyOf(condition));
  const known = resident.get(top);
  if (known !== undefined) return known.select(createProbe(condition, [top]));
  const path = top === "metadata" ? [top, ...(key === undefined ? [] : [key])] : [top];
  const isWhole = top === "metadata" && key === undefined;
  const column = isWhole
    ? undefined
    : (columns.get(JSON.stringify(path)) ?? (top === "metadata" ? columns.get('["metadata"]') : undefined));
  if (column !== undefined)
    return await selectByColumn(column, createProbe(condition, column.path), { read, documents });
  // No document has the key, or all have it alike: metadata itself is an object everywhere.
  const isPassed = isWhole
    ? createProbe(condition, ["metadata"]).testValue({})
    : createProbe(condition, path).test(ABSENT);
  return isPassed ? fullBitmap(documents) : createBitmap(documents);
}

async function documentsByIds(
  wanted: readonly string[],
  { ids, rows: { documents } }: Payloads,
  read: ReadRaw,
): Promise<Bitmap | null> {
  const found = await ids.find(wanted, read);
  if (found === null) return null;
  const set = createBitmap(documents);
  for (const { document } of found) setBit(set, document);
  return set;
}

/** An id is a document's, or a passage's: the document's, "#", the ordinal. One with "#" may be either. */
async function rowsByIds(
  wanted: readonly string[],
  { ids, rows }: Payloads,
  read: ReadRaw,
): Promise<Bitmap | null> {
  const whole = new Set(wanted);
  const holders = wanted.flatMap((id) => (id.includes("#") ? [id.slice(0, id.lastIndexOf("#"))] : []));
  const found = await ids.find([...whole, ...holders], read);
  if (found === null) return null;
  const documents = createBitmap(rows.documents);
  const ordinalsOf = new Map<number, readonly number[]>();
  for (const { documentId, document, ordinals } of found) {
    setBit(documents, document);
    if (whole.has(documentId)) continue;
    const kept = ordinals.map((ordinal) => (whole.has(`${documentId}#${ordinal}`) ? 1 : 0));
    ordinalsOf.set(document, kept);
  }
  const candidates = rows.rowsOf(documents);
  return ordinalsOf.size === 0 ? candidates : keptRows(candidates, rows, ordinalsOf);
}

/** Leaves out the passages that are not wanted: a document's nth row has its nth ordinal. */
function keptRows(
  candidates: Bitmap,
  { rows, documentOf }: DocumentRows,
  keptOf: ReadonlyMap<number, readonly number[]>,
): Bitmap {
  const set = createBitmap(rows);
  const seen = new Map<number, number>();
  for (let row = 0; row < rows; row += 1) {
    if ((((candidates.words[row >>> 5] ?? 0) >>> (row & 31)) & 1) === 0) continue;
    const document = documentOf(row);
    const kept = keptOf.get(document);
    const place = seen.get(document) ?? 0;
    seen.set(document, place + 1);
    if (kept === undefined || kept[place] === 1) setBit(set, row);
  }
  return set;
}
