/** Counts the planned copies from Postgres over and over, so that memory is right from the start and stays so. */
import { keyOf } from "@kattegat/engine/digests/copy-digest.ts";
import { leavesOf, rangeOf } from "@kattegat/engine/digests/digest-tree.ts";
import type postgres from "postgres";
import { z } from "zod";
import type { AppliedLog } from "../log/head.ts";
import type { Pacer } from "../pacer.ts";
import { checkedRows, rowSchema } from "../postgres/checked-rows.ts";
import type { changes } from "../postgres/schema.ts";
import type { CountedLeaf, PlannedDigests, PlannedDocument } from "./planned-digests.ts";

/** Of a million documents a thousand rows, so that all are counted in nine minutes of half-second rounds. */
const ROUND_LEAVES = 64;
/** Before all are counted nothing can be compared; 31,000 rows of a million. */
const FIRST_ROUND_LEAVES = 2_048;
/** Memory is level with Postgres within a commit's time. */
const LEVEL_MS_MAX = 5_000;

const LEAVES = leavesOf(0, 0).to;

const goneRow = rowSchema<typeof changes.$inferSelect>()({ document_id: z.string() });

export interface RecountOptions {
  readonly sql: postgres.Sql;
  readonly planned: PlannedDigests;
  readonly applied: AppliedLog;
  readonly pacer: Pick<Pacer, "breathe">;
}

export class Recount {
  readonly #options: RecountOptions;
  #next = 0;

  constructor(options: RecountOptions) {
    this.#options = options;
  }

  /** Resolves with how many leaves were counted; those that are written to meanwhile have their turn later. */
  async round(): Promise<number> {
    const { planned } = this.#options;
    const doubted = [...planned.doubted].slice(0, ROUND_LEAVES);
    if (doubted.length > 0) return await this.#count(doubted.map((leaf) => ({ from: leaf, to: leaf + 1 })));
    const from = this.#next;
    const to = Math.min(LEAVES, from + (planned.isWhole ? ROUND_LEAVES : FIRST_ROUND_LEAVES));
    this.#next = to === LEAVES ? 0 : to;
    return await this.#count([{ from, to }]);
  }

  async #count(ranges: readonly LeafRange[]): Promise<number> {
    const { planned, applied, sql, pacer } = this.#options;
    const { sequence, documents } = await sql.begin(
      "isolation level repeatable read read only",
      async (tx) => {
        const [head] = await tx`select sequence from log_head`;
        return { sequence: String(head?.["sequence"] ?? "0"), documents: await plannedIn(tx, ranges) };
      },
    );
    const leaves = new Map<number, PlannedDocument[]>();
    for (const { from, to } of ranges) for (let leaf = from; leaf < to; leaf += 1) leaves.set(leaf, []);
    for (const document of documents) leaves.get(rangeOf(keyOf(document.id), 16))?.push(document);
    if (!(await applied.waitFor(sequence, { timeoutMs: LEVEL_MS_MAX }))) return 0;
    let taken = 0;
    for (const [leaf, its] of leaves) {
      const counted: CountedLeaf = { leaf, documents: its };
      taken += planned.count([counted], sequence);
      await pacer.breathe();
    }
    return taken;
  }
}

export interface LeafRange {
  readonly from: number;
  readonly to: number;
}

/** Ids of deleted documents in the leaves. */
export async function goneIn(sql: postgres.Sql, leaves: readonly number[]): Promise<readonly string[]> {
  const rows = await sql`
    select distinct c.document_id from changes c
    where c.kind = 'delete' and kattegat_leaf(c.document_id) = any(${[...leaves]}::int[])
      and not exists (select from documents d where d.id = c.document_id)`;
  return checkedRows(goneRow, rows).map(({ document_id: id }) => id);
}

/** Documents as the ranges have them, with the last change about each. */
export async function plannedIn(
  sql: postgres.Sql | postgres.TransactionSql,
  ranges: readonly LeafRange[],
): Promise<readonly (PlannedDocument & { readonly sequence: string })[]> {
  const rows = await sql`
    select d.id, d.version, d.residency, d.digest, d.passage_count, d.held, d.sequence
    from unnest(${ranges.map(({ from }) => from)}::int[], ${ranges.map(({ to }) => to)}::int[]) as r(first, beyond)
    join documents d on kattegat_leaf(d.id) >= r.first and kattegat_leaf(d.id) < r.beyond`;
  return rows.map(({ id, version, residency, digest, passage_count, held, sequence }) => ({
    id,
    version,
    residency,
    digest,
    passage_count,
    held,
    sequence,
  }));
}
