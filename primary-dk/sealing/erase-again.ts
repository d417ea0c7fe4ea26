/** Erases again, in a restored database, what was erased after its backup. */
import type postgres from "postgres";
import { changeInserts, receiptInserts } from "../documents/log-inserts.ts";
import { noteLost } from "./key-rows.ts";

/**
 * Deletes documents whose keys are gone, each as a change of the log, so that every site withdraws its copy and a receipt says so.
 *
 * Nobody can open them, so nothing of them is read but what rests in clear.
 */
export async function eraseAgain(
  sql: postgres.Sql,
  ids: readonly string[],
  { site, newId }: { readonly site: string; readonly newId: () => string },
): Promise<void> {
  if (ids.length === 0) return;
  await sql.begin(async (tx) => {
    const rows = await tx`
      select d.id, d.version, d.residency, d.tier, d.held, k.partition
      from documents d join document_keys k on k.document_id = d.id
      where d.id = any(${[...ids]}) order by d.id for update of d`;
    const [head] = await tx`
      update log_head set sequence = sequence + ${rows.length}, at = clock_timestamp() returning epoch, sequence, at`;
    if (head === undefined)
      throw new TypeError("expected one row in log_head; the database was not migrated");
    const first = BigInt(head["sequence"]) - BigInt(rows.length - 1);
    const placed = rows.map((row, at) => ({
      row,
      fence: { epoch: head["epoch"], sequence: String(first + BigInt(at)) },
    }));
    const changes = placed.map(({ row: { id, version, residency, tier, held }, fence }) => ({
      ...fence,
      document_id: id,
      version,
      kind: "delete",
      residency,
      residency_before: residency,
      tier,
      moving_from: null,
      held_before: held,
      held_after: [],
      committed_at: head["at"],
    }));
    const receipts = placed.map(({ row: { id, partition }, fence }) => ({
      id: newId(),
      document_id: id,
      ...fence,
      partition,
      requested_at: head["at"],
      completed_at: null,
    }));
    await Promise.all([...changeInserts(tx, changes), ...receiptInserts(tx, receipts, { site })]);
    for (const table of ["documents", "passages", "document_keys", "replaced_keys"])
      await tx`delete from ${tx(table)} where ${tx(table === "documents" ? "id" : "document_id")} = any(${[...ids]})`;
    await noteLost(tx, new Set(rows.map((row): number => row["partition"])));
  });
}
