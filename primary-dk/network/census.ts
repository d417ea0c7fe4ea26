/** Counts what the system of record holds. */
import { TIER_NAMES, type TierName } from "@kattegat/config/network.ts";
import type { Census } from "@kattegat/protocol/census.ts";
import type postgres from "postgres";

/** One scan of `documents`, none of `passages`: their rows are a thousand times as many bytes. */
export async function takeCensus(sql: postgres.Sql): Promise<Omit<Census, "sequence">> {
  const rows = await sql<{ residency: string; tier: TierName; documents: number; passages: number }[]>`
    select residency, tier, count(*)::int as documents, sum(passage_count)::int as passages
    from documents group by residency, tier order by residency, tier`;
  const [size] = await sql<{ bytes: string }[]>`
    select (pg_total_relation_size('documents') + pg_total_relation_size('passages'))::text as bytes`;
  const passages = rows.reduce((sum, row) => sum + row.passages, 0);
  const perPassage = passages === 0 ? 0 : Number(size?.bytes ?? 0) / passages;
  return {
    groups: rows
      .filter(({ tier }) => TIER_NAMES.includes(tier))
      .map((row) => ({ ...row, bytes: Math.round(row.passages * perPassage) })),
  };
}
