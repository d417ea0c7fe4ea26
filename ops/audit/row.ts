/** Lines of all sites, brought together by document. */
import { createHash } from "node:crypto";
import type { CopyLine, HoldingLine, RecordLine, RecordedLine } from "@kattegat/protocol/holdings.ts";
import { z } from "zod";
import { holdingLineSchema } from "@kattegat/protocol/holdings.ts";

/** A line about a document, with the site that told it. */
export interface AuditRow {
  /** SHA-256 of the document's id: the ledger knows no other name, and every site's lines sort by it alike. */
  readonly document: string;
  readonly site: string;
  readonly line: HoldingLine;
}

/** Everything that was told of one document. */
export interface DocumentRows {
  readonly document: string;
  /** Null for one that only the ledger names. */
  readonly id: string | null;
  readonly record: RecordLine | null;
  /** Of a document that was deleted: the sequence of the last change. */
  readonly gone: string | null;
  readonly recorded: RecordedLine["copies"] | null;
  readonly copies: readonly (CopyLine & { readonly site: string })[];
}

export function hashOf(documentId: string): string {
  return createHash("sha256").update(documentId, "utf8").digest("hex");
}

/** The document that a line is about; null for a line about a site. */
export function documentOf(line: HoldingLine): string | null {
  switch (line.kind) {
    case "record":
    case "gone":
    case "copy":
      return hashOf(line.document_id);
    case "recorded":
      return line.document;
    default:
      return null;
  }
}

const storedSchema = z.tuple([z.string(), z.string(), holdingLineSchema]);

/** Begins with the document, so that texts sort as their documents do. */
export function encodeRow({ document, site, line }: AuditRow): string {
  return JSON.stringify([document, site, line]);
}

export function decodeRow(text: string): AuditRow {
  const [document, site, line] = storedSchema.parse(JSON.parse(text));
  return { document, site, line };
}

/** Groups sorted rows. */
export async function* byDocument(
  rows: AsyncIterable<AuditRow> | Iterable<AuditRow>,
): AsyncGenerator<DocumentRows> {
  let group: AuditRow[] = [];
  for await (const row of rows) {
    if (group.length > 0 && group[0]?.document !== row.document) {
      yield documentRows(group);
      group = [];
    }
    group.push(row);
  }
  if (group.length > 0) yield documentRows(group);
}

function documentRows(rows: readonly AuditRow[]): DocumentRows {
  let record: RecordLine | null = null;
  let gone: { readonly document_id: string; readonly sequence: string } | null = null;
  let recorded: RecordedLine["copies"] | null = null;
  const copies: (CopyLine & { readonly site: string })[] = [];
  for (const { site, line } of rows) {
    if (line.kind === "record") record = line;
    else if (line.kind === "gone") gone = line;
    else if (line.kind === "recorded") recorded = line.copies;
    else if (line.kind === "copy") copies.push({ ...line, site });
  }
  const id = record?.document_id ?? gone?.document_id ?? copies[0]?.document_id ?? null;
  const document = rows[0]?.document ?? "";
  return { document, id, record, gone: gone?.sequence ?? null, recorded, copies };
}
