/** Lines of all sites, brought together by document. */
import { createHash } from "node:crypto";
import type { CopyLine, HoldingLine, RecordLine, RecordedLine } from "@kattegat/protocol/holdings.ts";
import { z } from "zod";
import { holdingLineSchema } from "@kattegat/protocol/holdings.ts";

const archivedSchema = z.object({
  kind: z.literal("archived"),
  store: z.string(),
  /** SHA-256 of the document's id. */
  document: z.string(),
  version: z.string(),
  epoch: z.int(),
  class: z.string(),
  digest: z.string(),
  /** Whether it was read, not its name alone. */
  opened: z.boolean(),
  /** What is wrong with what was read. */
  damage: z.string().nullable(),
});
/** An object of an archive's bucket, as its name tells. */
export type ArchivedLine = Readonly<z.infer<typeof archivedSchema>>;

/** A line about a document, with the site that told it. */
export interface AuditRow {
  /** SHA-256 of the document's id: the ledger knows no other name, and every site's lines sort by it alike. */
  readonly document: string;
  readonly site: string;
  readonly line: HoldingLine | ArchivedLine;
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
  readonly copies: readonly HeldCopy[];
}

/** An archive does not know the ids of what it holds. */
export type HeldCopy = Omit<CopyLine, "document_id"> & {
  readonly site: string;
  readonly document_id: string | null;
  /** What is wrong with an archive's object that was opened. */
  readonly damage: string | null;
};

export function hashOf(documentId: string): string {
  return createHash("sha256").update(documentId, "utf8").digest("hex");
}

/** The document that a line is about; null for a line about a site. */
export function documentOf(line: HoldingLine | ArchivedLine): string | null {
  switch (line.kind) {
    case "record":
    case "gone":
    case "copy":
      return hashOf(line.document_id);
    case "recorded":
    case "archived":
      return line.document;
    default:
      return null;
  }
}

const storedSchema = z.tuple([z.string(), z.string(), z.union([holdingLineSchema, archivedSchema])]);

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
  const copies: HeldCopy[] = [];
  for (const { site, line } of rows) {
    if (line.kind === "record") record = line;
    else if (line.kind === "gone") gone = line;
    else if (line.kind === "recorded") recorded = line.copies;
    else if (line.kind === "copy") copies.push({ ...line, site, damage: null });
    else if (line.kind === "archived")
      copies.push({ ...line, kind: "copy", site, document_id: null, passages: null, hidden: false });
  }
  const named = copies.find((copy) => copy.document_id !== null);
  const id = record?.document_id ?? gone?.document_id ?? named?.document_id ?? null;
  const document = rows[0]?.document ?? "";
  return { document, id, record, gone: gone?.sequence ?? null, recorded, copies };
}
