/** Consecutive rows with all that a hit shows, as one compressed block. */
import { isJson } from "../../../filter/path.ts";
import { ColdFormatError } from "../../format-error.ts";
import { type Deflate, packText, parseJson, unpackBytes } from "./document-frame.ts";
import type { BaseHit } from "../parts.ts";

/** Returns the block: shared values, nine items a document, three a row; see docs/cold-index-documents.md. */
export function encodeHitBlock(hits: readonly BaseHit[], deflate?: Deflate): Uint8Array {
  const shared = createShared();
  const documents = new Map<string, number>();
  const fields: unknown[] = [];
  const rows: unknown[] = [];
  for (const hit of hits) {
    let document = documents.get(hit.documentId);
    if (document === undefined) {
      document = documents.size;
      documents.set(hit.documentId, document);
      fields.push(
        hit.documentId,
        hit.version,
        hit.epoch,
        shared.place(hit.residency),
        shared.place(hit.collection),
        shared.place(hit.lang),
        shared.place(hit.publishedAt),
        shared.place(hit.title),
        shared.place(hit.metadata),
      );
    }
    rows.push(document, hit.ordinal, hit.text);
  }
  return packText(JSON.stringify([shared.values, fields, rows]), deflate);
}

/** Fields of a document in a block. */
const DOCUMENT_FIELDS = 9;
/** Fields of a row in a block. */
const ROW_FIELDS = 3;

/** Returns the hits of a block that has `count`. @throws {ColdFormatError} when it is something else. */
export function decodeHitBlock(packed: Uint8Array, count: number): readonly BaseHit[] {
  const block = parseJson(unpackBytes(packed));
  if (!Array.isArray(block) || block.length !== 3 || !block.every(Array.isArray)) throw notHits();
  const [shared = [], fields = [], rows = []]: readonly (readonly unknown[])[] = block;
  if (rows.length !== count * ROW_FIELDS || fields.length % DOCUMENT_FIELDS !== 0) throw notHits();
  const documents: Omit<BaseHit, "ordinal" | "text">[] = [];
  for (let from = 0; from < fields.length; from += DOCUMENT_FIELDS)
    documents.push(documentAt(fields, from, shared));
  const hits: BaseHit[] = [];
  for (let from = 0; from < rows.length; from += ROW_FIELDS) {
    const document = documents[numberIn(rows[from])];
    if (document === undefined) throw notHits();
    hits.push({ ...document, ordinal: numberIn(rows[from + 1]), text: textIn(rows[from + 2]) });
  }
  return hits;
}

function documentAt(
  fields: readonly unknown[],
  from: number,
  shared: readonly unknown[],
): Omit<BaseHit, "ordinal" | "text"> {
  const at = (field: number) => shared[numberIn(fields[from + field])];
  const metadata = at(8);
  if (!isJson(metadata)) throw notHits();
  return {
    documentId: textIn(fields[from]),
    version: textIn(fields[from + 1]),
    epoch: numberIn(fields[from + 2]),
    residency: textIn(at(3)),
    collection: textIn(at(4)),
    lang: textOrNullIn(at(5)),
    publishedAt: textOrNullIn(at(6)),
    title: textIn(at(7)),
    metadata,
  };
}

/** Values that many documents of a block have, each kept once. */
function createShared(): { readonly values: readonly unknown[]; place(value: unknown): number } {
  const values: unknown[] = [];
  const places = new Map<string, number>();
  return {
    values,
    place(value) {
      const text = JSON.stringify(value);
      const known = places.get(text);
      if (known !== undefined) return known;
      places.set(text, values.length);
      values.push(value);
      return values.length - 1;
    },
  };
}

function textIn(value: unknown): string {
  if (typeof value !== "string") throw notHits();
  return value;
}

function textOrNullIn(value: unknown): string | null {
  return value === null ? null : textIn(value);
}

function numberIn(value: unknown): number {
  if (typeof value !== "number") throw notHits();
  return value;
}

function notHits(): ColdFormatError {
  return new ColdFormatError("expected a block of hits, got other JSON");
}
