/** The copies that sites refused for good. */
import type { ConfirmRequest, RefusedChange } from "@kattegat/protocol/changes.ts";
import { compareFences, type Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";

/**
 * Resolves with the refusals that join no change of the log.
 *
 * A target that went back to an earlier place gets what it refused again; what it refused of a reign that was lost says nothing of
 * the change that has the sequence now.
 */
export async function noteRefused(
  tx: postgres.TransactionSql,
  { site, model, watermark, refused = [] }: ConfirmRequest & { readonly model: string },
  before: Fence,
): Promise<readonly RefusedChange[]> {
  if (compareFences(watermark, before) < 0)
    await tx`
      delete from refused_copies where site = ${site} and model = ${model} and sequence > ${watermark.sequence}`;
  if (refused.length === 0) return [];
  const joined = await tx`
    with told as (
      select * from json_to_recordset(${JSON.stringify(refused)}::text::json) as r (epoch integer, sequence bigint, code text)
    ), noted as (
      insert into refused_copies
      select ${site}, ${model}, sequence, r.code, clock_timestamp() from told r join changes c using (sequence, epoch)
      on conflict do nothing
    )
    select sequence, epoch from told join changes c using (sequence, epoch)`;
  await tx`
    delete from refused_copies r where site = ${site} and not exists (
      select from changes c join documents d on d.id = c.document_id and d.carried = c.sequence where c.sequence = r.sequence
    )`;
  const known = new Set(joined.map(({ sequence, epoch }) => `${epoch} ${sequence}`));
  return refused.filter(({ sequence, epoch }) => !known.has(`${epoch} ${sequence}`));
}

/** Enough to look for in the logs of the site and of replication. */
const NAMED_MAX = 8;

/** Of the change that a refusal names, seen from the log: a former reign's were lost with it, of any other there are none. */
type Reign = "former" | "current" | "later";

/** The refusals that join nothing: they end no move and keep no entry out of the ledger, so nothing else would show them. */
export class UnmatchedRefusals {
  readonly #counts = new Map<string, { readonly site: string; readonly reign: Reign; count: number }>();

  get counts(): Iterable<{ readonly site: string; readonly reign: Reign; readonly count: number }> {
    return this.#counts.values();
  }

  /** Counts them; returns what to log, null when there are none. */
  note(site: string, refused: readonly RefusedChange[], { epoch: current }: Fence): object | null {
    for (const { epoch } of refused) {
      const reign = epoch === current ? "current" : epoch < current ? "former" : "later";
      const key = `${site} ${reign}`;
      const known = this.#counts.get(key) ?? { site, reign, count: 0 };
      this.#counts.set(key, known);
      known.count += 1;
    }
    if (refused.length === 0) return null;
    return { code: "unmatched_refusal", site, count: refused.length, named: refused.slice(0, NAMED_MAX) };
  }
}
