/** Rebuilds everything kept in memory from Postgres. */
import { TIER_NAMES, type Network } from "@kattegat/config/network.ts";
import { StatisticsCounter } from "@kattegat/engine/lexical/statistics.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import { LiveBase } from "../cold/live-base.ts";
import type { OpenBase } from "../cold/open-base.ts";
import { coldClasses, compareBase, isStanding } from "../cold/standing.ts";
import type { Placements } from "../documents/placements.ts";
import { openPassage, passagesOf, type LoadedPassage } from "../documents/passage-rows.ts";
import { SEALED_STATE, sealedDocuments, stateOfRow, type DocumentState } from "../documents/state.ts";
import { KEY_COLUMNS, openSparse, type DocumentSeals } from "../sealing/document-seals.ts";
import type { Pacer } from "../pacer.ts";
import { TierCounts } from "../tiering/counts.ts";
import { HotIndex } from "./hot-index.ts";

/** Rows in memory at once: about 4 MB of vectors. */
const CURSOR_ROWS = 1_000;
/** A line in the log for each so many passages. */
const PROGRESS_PASSAGES = 20_000;

export interface Memory {
  readonly index: HotIndex;
  readonly counts: TierCounts;
  readonly statistics: StatisticsCounter;
  readonly head: Fence & { readonly at: string };
}

interface OpenDocument {
  readonly state: DocumentState;
  readonly passages: LoadedPassage[];
}

export interface RebuildOptions {
  readonly network: Network;
  readonly placements: Placements;
  readonly site: string;
  readonly scanner: Scanner;
  readonly seals: DocumentSeals;
  readonly pacer: Pacer;
  /** Documents that the open base has as they are now stay out of memory. */
  readonly openBase: () => OpenBase | null;
  readonly progress: (fields: Readonly<Record<string, number>>, message: string) => void;
}

/** Resolves with the state of one snapshot of the log: its head says which. */
export async function rebuildMemory(sql: postgres.Sql, options: RebuildOptions): Promise<Memory> {
  const open = options.openBase();
  const base = open === null ? null : new LiveBase(open);
  try {
    return await readMemory(sql, base, options);
  } catch (error) {
    base?.leave();
    throw error;
  }
}

function readMemory(sql: postgres.Sql, base: LiveBase | null, options: RebuildOptions): Promise<Memory> {
  const load = async (id: string): Promise<readonly LoadedPassage[]> =>
    (await passagesOf(sql, [id], options)).get(id) ?? [];
  return sql.begin("isolation level repeatable read read only", async (tx) => {
    const [row] = await tx`select epoch, sequence, at from log_head`;
    if (row === undefined) throw new TypeError("expected one row in log_head; the database was not migrated");
    const counts = await countTiers(tx);
    const statistics = new StatisticsCounter();
    const index = new HotIndex({ ...options, ...options.network.embedding, base, load });
    const classes = coldClasses(options.network, options);
    const missing = base === null ? null : await compareBase(tx, base, { ...options, classes });
    const fill = { ...options, missing, statistics };
    await fillIndex(tx, index, fill);
    await countOtherTerms(tx, fill);
    const at: Date = row["at"];
    return {
      index,
      counts,
      statistics,
      head: { epoch: row["epoch"], sequence: row["sequence"], at: at.toISOString() },
    };
  });
}

async function countTiers(tx: postgres.TransactionSql): Promise<TierCounts> {
  const counts = new TierCounts();
  const rows = await tx`
      select tier, residency, moving_from is not null as moving,
        count(*)::int as documents, sum(passage_count)::int as passages
      from documents group by 1, 2, 3`;
  for (const row of rows)
    counts.addMany(
      { tier: row["tier"], residency: row["residency"], moving: row["moving"] },
      { documents: row["documents"], passages: row["passages"] },
    );
  return counts;
}

interface FillOptions extends RebuildOptions {
  /** Documents that belong into the base, but are not in it as they are; null without a base. */
  readonly missing: readonly string[] | null;
  readonly statistics: StatisticsCounter;
}

/** The documents `d` that are to be in memory, in SQL. */
function isInMemory(
  tx: postgres.TransactionSql,
  { missing, ...options }: FillOptions,
): postgres.PendingQuery<postgres.Row[]> {
  if (missing === null) return isHeld(tx, options);
  const standing = isStanding(tx, coldClasses(options.network, options));
  return tx`(${isHeld(tx, options)} and (d.id = any(${[...missing]}) or not (${standing})))`;
}

/** Each passage in memory is opened once, for the index with the statistics. */
async function fillIndex(tx: postgres.TransactionSql, index: HotIndex, options: FillOptions): Promise<void> {
  let open: OpenDocument | null = null;
  let read = 0;
  const cursor = tx`
    select ${tx(SEALED_STATE)}, p.ordinal, p.dense, p.sparse
    from ${sealedDocuments(tx)} join passages p on p.document_id = d.id
    where ${isInMemory(tx, options)}
    order by d.sequence, p.ordinal`.cursor(CURSOR_ROWS);
  for await (const rows of cursor) {
    for (const row of rows) {
      if (open === null || open.state.id !== row["id"]) {
        if (open !== null) await index.put(open.state, open.passages, options.pacer);
        open = { state: stateOfRow(row, options.seals), passages: [] };
      }
      const passage = openPassage(row, options.seals.keyOf(row));
      open.passages.push(passage);
      options.statistics.add(passage.sparse);
      read += 1;
      if (read % PROGRESS_PASSAGES === 0) options.progress({ passages: read }, "rebuilding the index");
    }
  }
  if (open !== null) await index.put(open.state, open.passages, options.pacer);
}

/** The documents `d` that this site holds, in SQL. */
export function isHeld(
  sql: postgres.Sql | postgres.TransactionSql,
  { network, placements, site }: Pick<RebuildOptions, "network" | "placements" | "site">,
): postgres.PendingQuery<postgres.Row[]> {
  const held = Object.keys(network.classes).flatMap((residency) =>
    TIER_NAMES.filter((tier) => placements.of(residency, tier).includes(site)).map(
      (tier) => `${residency} ${tier}`,
    ),
  );
  return sql`(d.residency || ' ' || d.tier = any(${held}) or d.residency || ' ' || d.moving_from = any(${held}))`;
}

async function countOtherTerms(tx: postgres.TransactionSql, options: FillOptions): Promise<void> {
  const { statistics } = options;
  const cursor = tx`
    select p.document_id, p.ordinal, p.sparse, ${tx(KEY_COLUMNS)}
    from ${sealedDocuments(tx)} join passages p on p.document_id = d.id
    where (${isInMemory(tx, options)}) is not true`.cursor(CURSOR_ROWS);
  for await (const rows of cursor) {
    for (const row of rows) {
      statistics.add(openSparse(options.seals.keyOf(row), row["ordinal"], row["sparse"]));
      if (statistics.passages % PROGRESS_PASSAGES === 0)
        options.progress({ passages: statistics.passages }, "counting terms");
    }
  }
}
