/** Erases again, in a restored database, what was erased after its backup. */
import type postgres from "postgres";

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
    let sequence = BigInt(head["sequence"]) - BigInt(rows.length);
    for (const { id, version, residency, tier, held, partition } of rows) {
      sequence += 1n;
      const place = { epoch: head["epoch"], sequence: String(sequence) };
      const change = {
        ...place,
        document_id: id,
        version,
        kind: "delete",
        residency,
        residency_before: residency,
      };
      const where = { tier, moving_from: null, held_before: held, held_after: [], committed_at: head["at"] };
      const receipt = newId();
      await tx`insert into changes ${tx({ ...change, ...where })}`;
      await tx`insert into receipts ${tx({ id: receipt, document_id: id, ...place, partition, requested_at: head["at"] })}`;
      await tx`
        insert into receipt_sites (receipt_id, site, confirmed_at)
        select ${receipt}, s.site, case when s.site = ${site} then ${head["at"]}::timestamptz end
        from (select ${site} as site union select unnest(held_before || held_after) from changes where document_id = ${id}) s`;
    }
    for (const table of ["documents", "passages", "document_keys", "replaced_keys"])
      await tx`delete from ${tx(table)} where ${tx(table === "documents" ? "id" : "document_id")} = any(${[...ids]})`;
    await tx`
      insert into key_rotations (partition, since, urgent, losses)
      select distinct partition, clock_timestamp(), true, 1 from receipts where document_id = any(${[...ids]})
      on conflict (partition) do update set urgent = true, losses = key_rotations.losses + 1`;
  });
}
