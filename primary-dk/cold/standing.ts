/** Which documents belong into a base: cold ones that stand still and that no edge may hold. */
import type { Network } from "@kattegat/config/network.ts";
import type postgres from "postgres";
import type { Placements } from "../documents/placements.ts";
import type { Pacer } from "../pacer.ts";
import type { LiveBase } from "./live-base.ts";
import type { BaseTable } from "./table.ts";

/** Rows in memory at once. */
const CURSOR_ROWS = 1_000;

/** Residency classes whose cold documents this site holds. */
export function coldClasses(
  network: Network,
  { placements, site }: { readonly placements: Placements; readonly site: string },
): readonly string[] {
  return Object.keys(network.classes).filter((residency) => placements.of(residency, "cold").includes(site));
}

/** The documents `d` that belong into a base, in SQL. */
export function isStanding(
  sql: postgres.Sql | postgres.TransactionSql,
  classes: readonly string[],
): postgres.PendingQuery<postgres.Row[]> {
  return sql`d.tier = 'cold' and d.moving_from is null and d.residency = any(${[...classes]})`;
}

/** Whether the base has the document of the row as it is. */
export function isInBase(table: BaseTable, row: postgres.Row): boolean {
  const number = table.numberOf(row["id"]);
  return (
    number !== undefined &&
    table.versionOf(number) === row["version"] &&
    table.epochOf(number) === row["epoch"]
  );
}

/**
 * Shows of the base what Postgres has unchanged; resolves with the documents that belong into a base, but are not in this one as
 * they are now. Versions are compared with their epochs, since a failover gives the same versions again.
 */
export async function compareBase(
  tx: postgres.TransactionSql,
  base: LiveBase,
  { classes, pacer }: { readonly classes: readonly string[]; readonly pacer: Pacer },
): Promise<readonly string[]> {
  const { table } = base.open;
  const missing: string[] = [];
  const cursor = tx`
    select d.id, d.version, d.epoch from documents d where ${isStanding(tx, classes)}`.cursor(CURSOR_ROWS);
  for await (const rows of cursor) {
    for (const row of rows) {
      if (isInBase(table, row)) base.show(row["id"]);
      else missing.push(row["id"]);
    }
    await pacer.breathe();
  }
  return missing;
}
