/** Whether this log was ever at a place that somebody names. */
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { SEQUENCE_ZERO, type Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";

/** Where a target's place stands in `targets`. */
export interface PlaceColumns {
  readonly epoch: "epoch" | "removed_epoch";
  readonly sequence: "sequence" | "removed_sequence";
}

/**
 * A target of a former reign may be at a change that was lost with it, and whose sequence has other content now.
 *
 * @throws {KattegatError} `divergence` when the log never was at the fence.
 */
export async function assertOnLog(sql: postgres.Sql, at: Fence, head: Fence): Promise<void> {
  if (at.epoch === head.epoch || at.sequence === SEQUENCE_ZERO) return;
  const [row] = await sql`select epoch from changes where sequence = ${at.sequence}`;
  if (row?.["epoch"] === at.epoch) return;
  throw new KattegatError(
    "divergence",
    `The target is at (${at.epoch}, ${at.sequence}), which the log of epoch ${head.epoch} does not have. Rebuild the target: empty it whole; of an archive the whole bucket, not only its watermark.`,
  );
}

/**
 * Resolves with the place of the log that the site's copies of every one of these models have reached; null while one of them has told
 * nothing, or a place that this log does not have: what it holds says nothing of this log then (I26).
 */
export async function reachedPlace(
  tx: postgres.TransactionSql,
  {
    site,
    models,
    epoch,
    sequence,
  }: PlaceColumns & { readonly site: string; readonly models: readonly string[] },
): Promise<Fence | null> {
  const rows = await tx`
    select t.${tx(epoch)} as epoch, t.${tx(sequence)} as sequence from targets t
    where t.site = ${site} and t.model = any(${[...models]}) and (
      t.${tx(sequence)} = 0
      or exists (select from changes c where c.sequence = t.${tx(sequence)} and c.epoch = t.${tx(epoch)})
    )
    order by 1, 2`;
  const [lowest] = rows;
  return lowest === undefined || rows.length < models.length
    ? null
    : { epoch: lowest["epoch"], sequence: lowest["sequence"] };
}
