/** What the feed sends to an archive: documents as they rest, sealed. */
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import type postgres from "postgres";
import { sealedDocuments } from "../documents/state.ts";
import { KEY_COLUMNS, openHead, type DocumentSeals } from "../sealing/document-seals.ts";
import { sealRecord } from "../sealing/sealed-record.ts";

/** Vectors that a caller gave are sent while they are of `model`: those of a former one have been replaced. */
export async function readSealedRecords(
  tx: postgres.TransactionSql,
  ids: readonly string[],
  { seals, model }: { readonly seals: DocumentSeals; readonly model: string },
): Promise<Map<string, SealedRecord>> {
  const records = new Map<string, SealedRecord>();
  if (ids.length === 0) return records;
  const documents = await tx`
    select d.id, d.version, d.epoch, d.residency, d.digest, d.collection, d.lang, d.importance, d.published_at, d.pinned_tier,
      d.head, d.body, k.key_id, ${tx(KEY_COLUMNS)}
    from ${sealedDocuments(tx)} where d.id = any(${[...ids]})`;
  const given = new Map<string, ReadonlySet<number>>();
  for (const row of documents) {
    const head = openHead(seals.keyOf(row), row["head"]);
    if (head.given?.model === model && head.given.vectors.length > 0)
      given.set(row["id"], new Set(head.given.vectors));
  }
  const passages = await passagesOf(tx, ids, [...given.keys()]);
  for (const document of documents) {
    const rows = passages.get(document["id"]) ?? [];
    const vectors = given.get(document["id"]) ?? new Set();
    records.set(document["id"], sealRecord({ document, passages: rows, given: vectors }, seals));
  }
  return records;
}

/** By document; with the vectors of those in `withVectors` alone, which are most of the bytes. */
async function passagesOf(
  tx: postgres.TransactionSql,
  ids: readonly string[],
  withVectors: readonly string[],
): Promise<ReadonlyMap<string, readonly postgres.Row[]>> {
  const rows = await tx`
    select document_id, ordinal, start_offset, end_offset, own_text,
      case when document_id = any(${[...withVectors]}) then dense end as dense
    from passages where document_id = any(${[...ids]}) order by document_id, ordinal`;
  return Map.groupBy(rows, (row): string => row["document_id"]);
}
