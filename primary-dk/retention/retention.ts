/** Deletes documents whose time is over. */
import { dayOf } from "@kattegat/config/day.ts";
import type { Network } from "@kattegat/config/network.ts";
import { keptUntil } from "@kattegat/config/retention.ts";
import type postgres from "postgres";
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import { z } from "zod";
import type { Writer } from "../documents/writer.ts";
import { checkedRows, columnsOf, rowSchema } from "../postgres/checked-rows.ts";
import type { documents } from "../postgres/schema.ts";

/** One transaction's worth of deletions: searches and writes go on between two. */
const BATCH_DOCUMENTS_MAX = 500;
const DAY_MS = 86_400_000;

export interface RetentionOptions {
  readonly sql: postgres.Sql;
  readonly network: Network;
  readonly writer: Writer;
  readonly now: () => number;
}

/**
 * Resolves with the number of documents that it deleted, each as a caller's deletion would be: with a receipt, at every site.
 *
 * A document that was written since it was looked at stays until the next round.
 */
export async function retentionRound(options: RetentionOptions): Promise<number> {
  let deleted = 0;
  for (const className of Object.keys(options.network.classes)) {
    for (;;) {
      const batch = await deleteBatch(className, options);
      deleted += batch;
      if (batch < BATCH_DOCUMENTS_MAX) break;
    }
  }
  return deleted;
}

async function deleteBatch(className: string, options: RetentionOptions): Promise<number> {
  const { network, writer, now } = options;
  const rules = network.classes[className];
  if (rules?.retention === undefined) return 0;
  const today = dayOf(now());
  const rows = await candidates(className, rules.retention, options);
  const over = rows.filter(
    ({ created_at, published_at }) =>
      keptUntil(rules, { created_at: created_at.toISOString(), published_at }) < today,
  );
  const fates = await Promise.allSettled(
    over.map(({ id, version }) =>
      writer.submit({ kind: "delete", id, zone: null, precondition: { kind: "version", version } }),
    ),
  );
  return fates.filter(({ status }) => status === "fulfilled").length;
}

const candidateRow = rowSchema<typeof documents.$inferSelect>()({
  id: z.string(),
  version: sequenceSchema,
  created_at: z.date(),
  published_at: z.string().nullable(),
});

/** By the hour rather than the day: `keptUntil` has the last word on each. */
async function candidates(
  className: string,
  { keep_days: days, from }: NonNullable<Network["classes"][string]["retention"]>,
  { sql, now }: RetentionOptions,
): Promise<readonly z.infer<typeof candidateRow>[]> {
  const before = new Date(now() - (days ?? 0) * DAY_MS);
  const isOver =
    days === undefined
      ? sql`true`
      : from === "published_at"
        ? sql`published_at::timestamptz < ${before}`
        : sql`created_at < ${before}`;
  const rows = await sql`
    select ${sql(columnsOf(candidateRow))} from documents
    where residency = ${className} and ${isOver}
    order by ${from === "published_at" ? sql`published_at` : sql`created_at`} limit ${BATCH_DOCUMENTS_MAX}`;
  return checkedRows(candidateRow, rows);
}
