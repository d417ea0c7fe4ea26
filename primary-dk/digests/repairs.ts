/** Repairs that anti-entropy asks for, with the reasons that it gave. */
import type { RepairList, RepairsRequest } from "@kattegat/protocol/digests.ts";
import type postgres from "postgres";
import type { Writer } from "../documents/writer.ts";

/** Two or three megabytes; a network that needs more repairs than it keeps has told so in its metrics. */
const KEPT_MAX = 10_000;

interface Repair {
  readonly document_id: string;
  readonly sequence: string;
}

/**
 * Writes one change for each fault, which carries the document anew to where it is planned; what must not be at the site is withdrawn
 * from there.
 */
export async function writeRepairs(
  { site, faults }: RepairsRequest,
  { sql, writer, now }: { readonly sql: postgres.Sql; readonly writer: Writer; readonly now: () => number },
): Promise<Repair[]> {
  const written = await Promise.all(
    faults.map(async (fault) => {
      const { document_id: id, class: residency, kind } = fault;
      const isWithdrawn = kind === "leak" || kind === "extra";
      const fate = await writer.submit({ kind: "repair", id, residency, from: isWithdrawn ? [site] : [] });
      return fate.kind === "effect" ? [{ ...fault, site, sequence: fate.effect.sequence }] : [];
    }),
  );
  const rows = written.flat();
  if (rows.length > 0) {
    const at = new Date(now());
    await sql`insert into repairs ${sql(rows.map((row) => ({ ...row, at })))}`;
    await sql`delete from repairs where sequence <= (select sequence from repairs order by sequence desc offset ${KEPT_MAX} limit 1)`;
  }
  return rows.map(({ document_id, sequence }) => ({ document_id, sequence }));
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
