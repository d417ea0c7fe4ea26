/** Counts what the system of record holds. */
import type { Census } from "@kattegat/protocol/census.ts";
import { tierNameSchema } from "@kattegat/protocol/search.ts";
import type postgres from "postgres";
import { z } from "zod";

/** A tier that is no longer known is one of no group. */
const groupRow = z.strictObject({
  residency: z.string(),
  tier: z.string(),
  documents: z.int(),
  passages: z.int(),
});

/** One scan of `documents`, none of `passages`: their rows are a thousand times as many bytes. */
export async function takeCensus(sql: postgres.Sql): Promise<Omit<Census, "sequence">> {
  const counted = await sql`
    select residency, tier, count(*)::int as documents, sum(passage_count)::int as passages
    from documents group by residency, tier order by residency, tier`;
  const rows = z.array(groupRow).parse([...counted]);
  const [size] = await sql`
    select (pg_total_relation_size('documents') + pg_total_relation_size('passages'))::text as bytes`;
  const passages = rows.reduce((sum, row) => sum + row.passages, 0);
  const perPassage = passages === 0 ? 0 : Number(size?.["bytes"] ?? 0) / passages;
  return {
    groups: rows.flatMap(({ tier, ...row }) => {
      const known = tierNameSchema.safeParse(tier);
      const bytes = Math.round(row.passages * perPassage);
      return known.success ? [{ ...row, tier: known.data, bytes }] : [];
    }),
  };
}
