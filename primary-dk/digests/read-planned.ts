/** Reads from Postgres which copies are planned. */
import type postgres from "postgres";
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import { z } from "zod";
import { tierNameOf } from "../documents/state.ts";
import type { Placed } from "../documents/placements.ts";
import type { AppliedLog } from "../log/head.ts";
import { checkedRows, columnsOf, rowSchema } from "../postgres/checked-rows.ts";
import type { changes, documents } from "../postgres/schema.ts";
import type { PlannedDocument } from "./planned-digests.ts";

/** Memory is level with Postgres within a commit's time. */
const LEVEL_MS_MAX = 5_000;

type Sql = postgres.Sql | postgres.TransactionSql;

/** A document with where it is placed, and the last change about it. */
export interface ReadDocument extends PlannedDocument, Placed {
  readonly sequence: string;
}

export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

const goneRow = rowSchema<typeof changes.$inferSelect>()({ document_id: z.string() });

const documentRow = rowSchema<typeof documents.$inferSelect>()({
  id: z.string(),
  version: sequenceSchema,
  residency: z.string(),
  tier: z.string(),
  moving_from: z.string().nullable(),
  digest: z.string(),
  passage_count: z.int(),
  held: z.array(z.string()),
  sequence: sequenceSchema,
});

/** Documents as the ranges have them. */
export async function plannedIn(sql: Sql, ranges: readonly LeafRange[]): Promise<readonly ReadDocument[]> {
  return documentsOf(
    await sql`
      select ${sql(columnsOf(documentRow).map((column) => `d.${column}`))}
      from unnest(${ranges.map(({ from }) => from)}::int[], ${ranges.map(({ to }) => to)}::int[]) as r(first, beyond)
      join documents d on kattegat_leaf(d.id) >= r.first and kattegat_leaf(d.id) < r.beyond`,
  );
}

export async function plannedByIds(sql: Sql, ids: readonly string[]): Promise<readonly ReadDocument[]> {
  return documentsOf(
    await sql`select ${sql(columnsOf(documentRow))} from documents where id = any(${[...ids]})`,
  );
}

/** Ids of documents in the leaves that were deleted once. */
export async function goneIn(sql: Sql, leaves: readonly number[]): Promise<readonly string[]> {
  const rows = await sql`
    select distinct c.document_id from changes c
    where c.kind = 'delete' and kattegat_leaf(c.document_id) = any(${[...leaves]}::int[])`;
  return checkedRows(goneRow, rows).map(({ document_id: id }) => id);
}

/** Resolves with what one snapshot has, and its place in the log, once memory is at least there; null when that takes too long. */
export async function readLevel<T>(
  sql: postgres.Sql,
  applied: Pick<AppliedLog, "waitFor">,
  read: (tx: postgres.TransactionSql) => Promise<T>,
): Promise<{ readonly sequence: string; readonly documents: T } | null> {
  const level = await sql.begin("isolation level repeatable read read only", async (tx) => {
    const [head] = await tx`select sequence from log_head`;
    return { sequence: String(head?.["sequence"] ?? "0"), documents: await read(tx) };
  });
  return (await applied.waitFor(level.sequence, { timeoutMs: LEVEL_MS_MAX })) ? level : null;
}

function documentsOf(rows: readonly postgres.Row[]): readonly ReadDocument[] {
  return checkedRows(documentRow, rows).map(({ tier, moving_from: movingFrom, ...row }) => ({
    ...row,
    tier: tierNameOf(tier),
    moving_from: movingFrom === null ? null : tierNameOf(movingFrom),
  }));
}
