/** Single documents as callers ask for them. */
import {
  deleteResultSchema,
  type DeleteResult,
  type Document,
  type Receipt,
  type WriteResult,
} from "@kattegat/protocol/documents.ts";
import { openText } from "../sealing/document-seals.ts";
import { SEALED_STATE, sealedDocuments, stateOfRow, type DocumentState } from "./state.ts";
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

export async function readReceipt(
  { database }: Pick<Primary, "database">,
  id: string,
): Promise<Receipt | null> {
  const { sql } = database;
  const [receipt] = await sql<(typeof receipts.$inferSelect)[]>`select * from receipts where id = ${id}`;
  if (receipt === undefined) return null;
  const sites = await sql<(typeof receiptSites.$inferSelect)[]>`
    select * from receipt_sites where receipt_id = ${id} order by site`;
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
