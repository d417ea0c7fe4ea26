/** The stages of receipts: hidden at every site, then removed from the disks of every site. */
import type { Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";

type Ids = readonly string[];

/** Notes of each of these whether its last site has hidden the document, or is rid of it. */
export async function advanceReceipts(tx: postgres.TransactionSql, ids: Ids): Promise<void> {
  if (ids.length === 0) return;
  await tx`
    update receipts r set hidden_at = coalesce(r.hidden_at, clock_timestamp())
    where r.id = any(${[...ids]}) and r.hidden_at is null
      and not exists (select from receipt_sites s where s.receipt_id = r.id and s.confirmed_at is null)`;
  await tx`
    update receipts r set completed_at = clock_timestamp()
    where r.id = any(${[...ids]}) and r.completed_at is null
      and not exists (select from receipt_sites s where s.receipt_id = r.id and s.removed_at is null)`;
}

/** Notes that the site has hidden what was deleted up to this place of the log; resolves with the receipts. */
export async function markHidden(tx: postgres.TransactionSql, site: string, to: Fence): Promise<Ids> {
  const rows = await tx`
    update receipt_sites s set confirmed_at = clock_timestamp() from receipts r
    where r.id = s.receipt_id and s.site = ${site} and s.confirmed_at is null and r.completed_at is null
      and r.sequence <= ${to.sequence}
    returning r.id`;
  return rows.map((row): string => row["id"]);
}

/** Notes that the site is rid of what was deleted in these places of the log; resolves with the receipts. */
export async function markRemoved(
  tx: postgres.TransactionSql,
  { site, after, to, means }: { site: string; after: string; to: string; means: string },
): Promise<Ids> {
  const rows = await tx`
    update receipt_sites s
    set removed_at = clock_timestamp(), means = ${means}, confirmed_at = coalesce(s.confirmed_at, clock_timestamp())
    from receipts r
    where r.id = s.receipt_id and r.sequence > ${after} and r.sequence <= ${to}
      and s.site = ${site} and s.removed_at is null and r.completed_at is null
    returning r.id`;
  return rows.map((row): string => row["id"]);
}
