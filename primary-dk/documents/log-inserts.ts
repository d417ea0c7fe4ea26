/** The rows of a change in the log, and of a deletion's receipt. */
import type postgres from "postgres";

const INSERT_CHANGES = `insert into changes select * from json_populate_recordset(null::changes, $1::text::json)`;
const INSERT_RECEIPTS = `insert into receipts select * from json_populate_recordset(null::receipts, $1::text::json)`;
/** Every site that ever held a copy has to confirm; this one has with the commit. */
const INSERT_RECEIPT_SITES = `insert into receipt_sites (receipt_id, site, confirmed_at)
  select r.id, s.site, case when s.site = $2 then r.requested_at end
  from json_populate_recordset(null::receipts, $1::text::json) r
  cross join lateral (
    select $2 as site
    union select unnest(c.held_before || c.held_after) from changes c where c.document_id = r.document_id
  ) s`;
/** Of a document that nobody else ever held. */
const HIDE_RECEIPTS = `update receipts r set hidden_at = requested_at
  where r.id = any($1::text[])
    and not exists (select from receipt_sites s where s.receipt_id = r.id and s.confirmed_at is null)`;

type Query = postgres.PendingQuery<postgres.Row[]>;

/** Sent in their order when they are awaited together. */
export function changeInserts(tx: postgres.TransactionSql, changes: readonly object[]): readonly Query[] {
  return changes.length === 0
    ? []
    : [tx.unsafe(INSERT_CHANGES, [JSON.stringify(changes)], { prepare: true })];
}

/** After the changes of the deletions, which say where the documents were; `site` is the primary. */
export function receiptInserts(
  tx: postgres.TransactionSql,
  receipts: readonly { readonly id: string }[],
  { site }: { readonly site: string },
): readonly Query[] {
  if (receipts.length === 0) return [];
  const rows = JSON.stringify(receipts);
  return [
    tx.unsafe(INSERT_RECEIPTS, [rows], { prepare: true }),
    tx.unsafe(INSERT_RECEIPT_SITES, [rows, site], { prepare: true }),
    tx.unsafe(HIDE_RECEIPTS, [receipts.map(({ id }) => id)], { prepare: true }),
  ];
}
