/** The ends of receipts. */
import type postgres from "postgres";

/** Completes those whose document every site has hidden, and whose key is destroyed at the primary. */
export async function completeReceipts(tx: postgres.TransactionSql, primary: string): Promise<void> {
  await tx`
    update receipts r set completed_at = clock_timestamp()
    where r.completed_at is null
      and not exists (
        select from receipt_sites s
        where s.receipt_id = r.id and (s.confirmed_at is null or (s.site = ${primary} and s.removed_at is null))
      )`;
}
