/** Single documents as callers ask for them. */
import {
  deleteResultSchema,
  type DeleteResult,
  type Document,
  type Receipt,
  type WriteResult,
} from "@kattegat/protocol/documents.ts";
import { z } from "zod";
import { openText } from "../sealing/document-seals.ts";
import { SEALED_STATE, sealedDocuments, stateOfRow, type DocumentState } from "./state.ts";
import { checkedRows, columnsOf, rowSchema } from "../postgres/checked-rows.ts";
import type { receiptSites, receipts } from "../postgres/schema.ts";
import type { Primary } from "../primary.ts";
import type { DocumentContent } from "./content.ts";
import type { Precondition } from "./precondition.ts";

export interface Written {
  readonly status: 200 | 201;
  readonly result: WriteResult;
}

/**
 * Resolves when the document is committed and a search that starts afterwards sees it.
 *
 * A document with the same content is left as it is, so that an ingest is resumed by repeating it.
 */
export async function putDocument(
  { writer, placements }: Pick<Primary, "writer" | "placements">,
  {
    content,
    zone,
    precondition,
  }: { readonly content: DocumentContent; readonly zone: string; readonly precondition: Precondition },
): Promise<Written> {
  const fate = await writer.submit({ kind: "put", id: content.id, content, zone, precondition });
  const state = fate.kind === "effect" ? fate.effect.after : fate.current;
  if (state === null) throw new RangeError("a written document has no state");
  const isNew = fate.kind === "effect" && fate.effect.before === null;
  return { status: isNew ? 201 : 200, result: writeResult(state, placements.searchable(state)) };
}

function writeResult(
  { id, version, sequence, tier, residency, passage_count }: DocumentState,
  plannedSites: readonly string[],
): WriteResult {
  return {
    id,
    version,
    sequence,
    tier,
    residency,
    passages: passage_count,
    planned_sites: [...plannedSites],
  };
}

/** Resolves when the deletion is committed; its receipt is completed when every site has confirmed it. */
export async function deleteDocument(
  { writer }: Pick<Primary, "writer">,
  {
    id,
    zone,
    precondition,
  }: { readonly id: string; readonly zone: string; readonly precondition: Precondition },
): Promise<DeleteResult> {
  const fate = await writer.submit({ kind: "delete", id, zone, precondition });
  if (fate.kind !== "effect" || fate.receipt === null) throw new RangeError("a deletion has no receipt");
  return deleteResultSchema.parse({
    receipt: `/v1/receipts/${fate.receipt}`,
    sequence: fate.effect.sequence,
  });
}

export async function readDocument(
  { database: { sql }, placements, seals }: Pick<Primary, "database" | "placements" | "seals">,
  id: string,
): Promise<Document | null> {
  const [row] = await sql`
    select ${sql(SEALED_STATE)}, d.body, d.updated_at from ${sealedDocuments(sql)} where d.id = ${id}`;
  if (row === undefined) return null;
  const state = stateOfRow(row, seals);
  const updatedAt: Date = row["updated_at"];
  return {
    ...writeResult(state, placements.searchable(state)),
    title: state.title,
    text: openText(seals.keyOf(row), "body", row["body"]),
    collection: state.collection,
    lang: state.lang,
    metadata: { ...state.metadata },
    importance: state.importance,
    published_at: state.published_at,
    pinned_tier: state.pinned_tier,
    created_at: state.created_at.toISOString(),
    updated_at: updatedAt.toISOString(),
  };
}

const receiptRow = rowSchema<typeof receipts.$inferSelect>()({
  document_id: z.string(),
  requested_at: z.date(),
  hidden_at: z.date().nullable(),
  completed_at: z.date().nullable(),
});

const receiptSiteRow = rowSchema<typeof receiptSites.$inferSelect>()({
  site: z.string(),
  confirmed_at: z.date().nullable(),
  removed_at: z.date().nullable(),
  means: z.string().nullable(),
});

export async function readReceipt(
  { database }: Pick<Primary, "database">,
  id: string,
): Promise<Receipt | null> {
  const { sql } = database;
  const found = await sql`select ${sql(columnsOf(receiptRow))} from receipts where id = ${id}`;
  const [receipt] = checkedRows(receiptRow, found);
  if (receipt === undefined) return null;
  const rows = await sql`
    select ${sql(columnsOf(receiptSiteRow))} from receipt_sites where receipt_id = ${id} order by site`;
  const sites = checkedRows(receiptSiteRow, rows);
  return {
    document_id: receipt.document_id,
    requested_at: receipt.requested_at.toISOString(),
    hidden_at: receipt.hidden_at?.toISOString() ?? null,
    completed_at: receipt.completed_at?.toISOString() ?? null,
    sites: sites.map(({ site, confirmed_at, removed_at, means }) => ({
      site,
      confirmed_at: confirmed_at?.toISOString() ?? null,
      removed_at: removed_at?.toISOString() ?? null,
      means,
    })),
  };
}
