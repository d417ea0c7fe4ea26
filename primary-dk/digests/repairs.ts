/** Repairs that anti-entropy asks for, with the reasons that it gave. */
import type { RepairList, RepairsRequest, RepairsResponse } from "@kattegat/protocol/digests.ts";
import { codeOf } from "@kattegat/protocol/errors.ts";
import type postgres from "postgres";
import type { Writer } from "../documents/writer.ts";

/** Two or three megabytes; a network that needs more repairs than it keeps has told so in its metrics. */
const KEPT_MAX = 10_000;

/**
 * Writes one change for each fault, which carries the document anew to where it is planned; what must not be at the site is withdrawn
 * from there. One that fails takes no other's reason from the list.
 *
 * @throws {KattegatError} where none of them could be written.
 */
export async function writeRepairs(
  { site, faults }: RepairsRequest,
  {
    sql,
    writer,
    now,
  }: { readonly sql: postgres.Sql; readonly writer: Pick<Writer, "submit">; readonly now: () => number },
): Promise<RepairsResponse> {
  const fates = await Promise.allSettled(
    faults.map(async ({ document_id: id, class: residency, kind }) => {
      const isWithdrawn = kind === "leak" || kind === "extra";
      return await writer.submit({ kind: "repair", id, residency, from: isWithdrawn ? [site] : [] });
    }),
  );
  const rows: (RepairsRequest["faults"][number] & { site: string; sequence: string })[] = [];
  const failed: { document_id: string; code: string }[] = [];
  for (const [at, fault] of faults.entries()) {
    const fate = fates[at];
    if (fate?.status === "fulfilled" && fate.value.kind === "effect")
      rows.push({ ...fault, site, sequence: fate.value.effect.sequence });
    if (fate?.status === "rejected")
      failed.push({ document_id: fault.document_id, code: codeOf(fate.reason) });
  }
  const reason = fates.find((fate) => fate.status === "rejected")?.reason;
  if (failed.length > 0 && failed.length === faults.length) throw reason;
  if (rows.length > 0) {
    const at = new Date(now());
    await sql`insert into repairs ${sql(rows.map((row) => ({ ...row, at })))}`;
    await sql`delete from repairs where sequence <= (select sequence from repairs order by sequence desc offset ${KEPT_MAX} limit 1)`;
  }
  return { repairs: rows.map(({ document_id, sequence }) => ({ document_id, sequence })), failed };
}

/** Resolves with the last repairs, the newest first. */
export async function lastRepairs(
  sql: postgres.Sql,
  { site, limit }: { readonly site: string | null; readonly limit: number },
): Promise<RepairList["repairs"]> {
  const rows = await sql`
    select sequence, site, document_id, class, kind, detail, at from repairs
    where ${site}::text is null or site = ${site} order by sequence desc limit ${limit}`;
  return rows.map(({ sequence, site: at_site, document_id, class: name, kind, detail, at }) => ({
    sequence,
    site: at_site,
    document_id,
    class: name,
    kind,
    detail,
    at: at.toISOString(),
  }));
}
