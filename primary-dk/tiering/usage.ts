/** Moves documents between tiers as their use changes. */
import type { Network } from "@kattegat/config/network.ts";
import type { UsageReport } from "@kattegat/protocol/usage.ts";
import type postgres from "postgres";
import { SEALED_STATE, sealedDocuments, stateOfRow, type DocumentState } from "../documents/state.ts";
import type { DocumentSeals } from "../sealing/document-seals.ts";
import type { Writer } from "../documents/writer.ts";
import { TIER_ORDER, USE_HALF_LIFE_DAYS, nextTier, predictedUse, tierScore } from "./classify.ts";
import type { TierCounts } from "./counts.ts";

/** Documents looked at in one round: a fraction of a second of Postgres. */
const ROUND_DOCUMENTS_MAX = 500;
/** A document is looked at again after so long even when nobody reports its use: age lowers its prediction. */
const REVIEW_MS = 24 * 3_600_000;
/** A full tier lets a document in only when it is this much better than its lowest, so that two do not trade places. */
const SCORE_MARGIN = 0.05;

/** Resolves when the hits are added to what the documents had, decayed to now; unknown ids are passed over. */
export async function recordUsage(sql: postgres.Sql, report: UsageReport): Promise<void> {
  const hits = new Map<string, number>();
  for (const { id, hits: count } of report.documents) hits.set(id, (hits.get(id) ?? 0) + count);
  await sql`
    update documents d set
      observed_hits = d.observed_hits * power(0.5, greatest(0, extract(epoch from now() - coalesce(d.observed_at, now()))) / ${USE_HALF_LIFE_DAYS * 86_400}) + u.hits,
      observed_at = now()
    from unnest(${[...hits.keys()]}::text[], ${[...hits.values()]}::float8[]) as u(id, hits) where d.id = u.id`;
}

export interface RetierOptions {
  readonly sql: postgres.Sql;
  readonly network: Network;
  readonly seals: DocumentSeals;
  readonly writer: Writer;
  readonly counts: () => TierCounts;
  readonly now: () => number;
}

/** Resolves with the number of moves begun in one round: first documents with new use, then those not looked at for a day. */
export async function retierRound({
  sql,
  network,
  seals,
  writer,
  counts,
  now,
}: RetierOptions): Promise<number> {
  const rows = await sql`
    (select ${sql(SEALED_STATE)} from ${sealedDocuments(sql)}
      where d.pinned_tier is null and d.observed_at > d.classified_at
      order by d.classified_at limit ${ROUND_DOCUMENTS_MAX})
    union all
    (select ${sql(SEALED_STATE)} from ${sealedDocuments(sql)}
      where d.pinned_tier is null and d.classified_at < ${new Date(now() - REVIEW_MS)} and coalesce(d.observed_at <= d.classified_at, true)
      order by d.classified_at limit ${ROUND_DOCUMENTS_MAX})`;
  const moves: Promise<unknown>[] = [];
  const stays: { readonly id: string; readonly use: number; readonly score: number }[] = [];
  for (const row of rows) {
    const state = stateOfRow(row, seals);
    const use = useOf(state, now());
    const score = tierScore({ importance: state.importance, use });
    const tier = nextTier(state.tier, { importance: state.importance, use });
    const isMove =
      state.moving_from === null &&
      tier !== state.tier &&
      (await admits({ tier, from: state.tier, score }, { sql, network, counts: counts() }));
    if (isMove)
      moves.push(writer.submit({ kind: "move", id: state.id, carried: state.carried, tier, use, score }));
    else stays.push({ id: state.id, use, score });
  }
  await Promise.all(moves);
  if (stays.length > 0) {
    await sql`
      update documents d set predicted_use = s.use, score = s.score, classified_at = clock_timestamp()
      from unnest(
        ${stays.map(({ id }) => id)}::text[],
        ${stays.map(({ use }) => use)}::float8[],
        ${stays.map(({ score }) => score)}::float8[]
      ) as s(id, use, score) where d.id = s.id`;
  }
  return moves.length;
}

function useOf(state: DocumentState, nowMs: number): number {
  const observed =
    state.observed_at === null ? null : { hits: state.observed_hits, atMs: state.observed_at.getTime() };
  return predictedUse(
    {
      importance: state.importance,
      publishedAtMs: state.published_at === null ? null : Date.parse(state.published_at),
      observed,
    },
    nowMs,
  );
}

/** Downwards there is always room; upwards a full tier asks for a margin over its lowest. */
async function admits(
  {
    tier,
    from,
    score,
  }: { readonly tier: DocumentState["tier"]; readonly from: DocumentState["tier"]; readonly score: number },
  {
    sql,
    network,
    counts,
  }: { readonly sql: postgres.Sql; readonly network: Network; readonly counts: TierCounts },
): Promise<boolean> {
  if (TIER_ORDER.indexOf(tier) > TIER_ORDER.indexOf(from)) return true;
  if (counts.documents(tier) < network.tiers[tier].capacity) return true;
  const [lowest] =
    await sql`select score from documents where tier = ${tier} and pinned_tier is null order by score, id limit 1`;
  return lowest !== undefined && score > lowest["score"] + SCORE_MARGIN;
}
