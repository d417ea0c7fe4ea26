/** Which database a base was read from, at which state of its log. */
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import type { BaseRecord } from "./record.ts";

export type BaseSource = Pick<BaseRecord, "database" | "epoch" | "sequence">;

export async function sourceOf(sql: postgres.Sql | postgres.TransactionSql): Promise<BaseSource> {
  const [row] = await sql`
    select h.epoch, h.sequence, c.system_identifier || '/' || b.oid as database
    from log_head h, pg_control_system() c, pg_database b where b.datname = current_database()`;
  if (row === undefined) throw new TypeError("expected one row in log_head; the database was not migrated");
  return { database: row["database"], epoch: row["epoch"], sequence: row["sequence"] };
}

/**
 * Whether versions of the base mean the same documents in this database.
 *
 * In another database they do not, nor in one that was restored to a state before the base: it gives the sequences again.
 * Once its log is as far, rows tell by their own epochs.
 */
export function isOfSource(record: BaseSource, source: BaseSource): boolean {
  return (
    record.database === source.database &&
    record.epoch <= source.epoch &&
    compareSequences(record.sequence, source.sequence) <= 0
  );
}
