/** One transaction of many documents with their changes in the log. */
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { KattegatError } from "@kattegat/protocol/errors.ts";
import type postgres from "postgres";
import type { LogHead } from "../log/head.ts";
import { fitCapacity } from "../tiering/capacity.ts";
import type { TierCounts } from "../tiering/counts.ts";
import { decide } from "./decide.ts";
import { changeInserts, receiptInserts } from "./log-inserts.ts";
import { loadPassages, replacePassages, type LoadedPassage } from "./passage-rows.ts";
import { changeRow, documentRow, receiptRows } from "./rows.ts";
import { sequenced, type CommittedEffect, type Effect, type PreparedOperation } from "./operation.ts";
import type { Placements } from "./placements.ts";
import { SEALED_STATE, sealedDocuments, stateOfRow, type DocumentState } from "./state.ts";
import { appendEntries } from "../ledger/append.ts";
import type { CopyEntries } from "../ledger/copy-entries.ts";
import { lockKeys, replaceKeys } from "../sealing/key-rows.ts";
import type { DataKey, DocumentSeals } from "../sealing/document-seals.ts";

/** What became of each operation, in order. */
export type Fate =
  | { readonly kind: "effect"; readonly effect: CommittedEffect; readonly receipt: string | null }
  | { readonly kind: "nothing"; readonly current: DocumentState | null }
  | { readonly kind: "refused"; readonly error: KattegatError }
  | { readonly kind: "unprepared" };

export interface CommittedGroup {
  readonly fates: readonly Fate[];
  /** In log order, with the moves that made room. */
  readonly effects: readonly CommittedEffect[];
  /** Sparse vectors of passages that are no more. */
  readonly removed: readonly SparseVector[];
  /** Passages of documents that this site begins to hold without their content being written. */
  readonly loaded: ReadonlyMap<string, readonly LoadedPassage[]>;
  /** Where the log is afterwards; null when nothing was written. */
  readonly head: LogHead | null;
}

export interface TransactionOptions {
  readonly placements: Placements;
  readonly site: string;
  readonly counts: TierCounts;
  readonly nowMs: number;
  readonly newId: () => string;
  readonly seals: DocumentSeals;
  readonly copies: CopyEntries;
}

/**
 * Commits a group in which no id occurs twice.
 *
 * Passages, by far the most bytes, are written before the log's row is locked; the sequences are taken last, and the lock
 * lives until the commit, so sequences are in commit order whoever else writes (I1).
 */
export function commitGroup(
  sql: postgres.Sql,
  group: readonly PreparedOperation[],
  options: TransactionOptions,
): Promise<CommittedGroup> {
  return sql.begin(async (tx) => {
    const current = await statesOf(
      tx,
      group.map(({ operation }) => operation.id),
      options.seals,
    );
    const decisions = group.map((item) => decide(current.get(item.operation.id) ?? null, item, options));
    const asked = decisions.flatMap((decision) => (decision.kind === "effect" ? [decision.effect] : []));
    const effects = await fitCapacity(asked, {
      ...options,
      lowestOf: async (tier, { limit, except }) =>
        (
          await tx`
            select ${tx(SEALED_STATE)} from ${sealedDocuments(tx)}
            where d.tier = ${tier} and d.pinned_tier is null and d.id <> all(${[...except]})
            order by d.score, d.id limit ${limit} for update of d`
        ).map((row) => stateOfRow(row, options.seals)),
    });
    if (effects.length === 0) {
      return {
        fates: decisions.map((decision, index) =>
          fateOf(decision, current.get(group[index]?.operation.id ?? "") ?? null, () => null),
        ),
        effects: [],
        removed: [],
        loaded: new Map(),
        head: null,
      };
    }
    const keys = new Map(
      effects.flatMap(({ content }) =>
        content === null ? [] : [[content.value.id, options.seals.newKey(content.value.id)] as const],
      ),
    );
    const removed = await replacePassages(tx, effects, { seals: options.seals, keys });
    const loaded = await loadPassages(tx, effects, options);
    const { appended: committed, head } = await appendToLog(tx, effects, { ...options, keys });
    let next = 0;
    const fates = decisions.map((decision, index) =>
      fateOf(
        decision,
        current.get(group[index]?.operation.id ?? "") ?? null,
        () => committed[next++] ?? null,
      ),
    );
    return { fates, effects: committed.map(({ effect }) => effect), removed, loaded, head };
  });
}

interface Appended {
  readonly effect: CommittedEffect;
  readonly receipt: string | null;
}

function fateOf(
  decision: ReturnType<typeof decide>,
  current: DocumentState | null,
  take: () => Appended | null,
): Fate {
  if (decision.kind === "nothing") return { kind: "nothing", current };
  if (decision.kind !== "effect") return decision;
  const appended = take();
  if (appended === null) throw new RangeError("a decided effect was not appended to the log");
  return { kind: "effect", ...appended };
}

async function statesOf(
  tx: postgres.TransactionSql,
  ids: readonly string[],
  seals: DocumentSeals,
): Promise<Map<string, DocumentState>> {
  // Before a row of a key is read: one that is being wrapped anew is read afterwards.
  await lockKeys(tx);
  seals.refresh();
  const rows = await tx`
    select ${tx(SEALED_STATE)} from ${sealedDocuments(tx)}
    where d.id = any(${[...ids]}) order by d.id for update of d`;
  return new Map(rows.map((row) => [String(row["id"]), stateOfRow(row, seals)]));
}

async function appendToLog(
  tx: postgres.TransactionSql,
  effects: readonly Effect[],
  options: TransactionOptions & { readonly keys: ReadonlyMap<string, DataKey> },
): Promise<{ readonly appended: readonly Appended[]; readonly head: LogHead }> {
  const [head] =
    await tx`update log_head set sequence = sequence + ${effects.length}, at = clock_timestamp() returning epoch, sequence, at`;
  if (head === undefined) throw new TypeError("expected one row in log_head; the database was not migrated");
  const first = BigInt(head["sequence"]) - BigInt(effects.length - 1);
  const at: Date = head["at"];
  const appended = effects.map((effect, index): Appended => {
    const sequence = String(first + BigInt(index));
    return {
      effect: sequenced(effect, { sequence, epoch: head["epoch"], placements: options.placements }),
      receipt: effect.kind === "delete" && effect.before !== null ? options.newId() : null,
    };
  });
  const records = <T>(rows: readonly T[]): string => JSON.stringify(rows);
  const written = appended.flatMap(({ effect }) =>
    effect.content === null ? [] : [documentRow(effect, { at, keys: options.keys })],
  );
  const moves = appended.flatMap(({ effect: { after, content } }) => {
    if (content !== null || after === null) return [];
    const { title: _title, metadata: _metadata, ...clear } = after;
    return [{ ...clear, classified_at: at }];
  });
  const deleted = appended.flatMap(({ effect }) =>
    effect.kind === "delete" && effect.before !== null ? [effect.before.id] : [],
  );
  const changes = appended.map(({ effect }) => changeRow(effect, { at }));
  const receipts = receiptRows(appended, { at });
  await Promise.all([
    written.length > 0 && tx.unsafe(UPSERT_DOCUMENTS, [records(written)], { prepare: true }),
    moves.length > 0 && tx.unsafe(MOVE_DOCUMENTS, [records(moves)], { prepare: true }),
    deleted.length > 0 && tx`delete from documents where id = any(${deleted})`,
    replaceKeys(tx, { ...options, deleted, replaced: replacedOf(effects) }),
    ...changeInserts(tx, changes),
    appendEntries(
      tx,
      options.copies.committed(
        appended.map(({ effect }) => effect),
        { at, keys: options.keys },
      ),
    ),
    ...receiptInserts(tx, receipts, options),
  ]);
  return {
    appended,
    head: { fence: { epoch: head["epoch"], sequence: head["sequence"] }, at: at.toISOString() },
  };
}

/** Documents whose content, with its key, is no more. */
function replacedOf(effects: readonly Effect[]): readonly string[] {
  return effects.flatMap(({ before, content }) => (before !== null && content !== null ? [before.id] : []));
}

const WRITTEN = [
  "version",
  "sequence",
  "carried",
  "epoch",
  "collection",
  "lang",
  "residency",
  "importance",
  "published_at",
  "pinned_tier",
  "tier",
  "moving_from",
  "held",
  "predicted_use",
  "score",
  "classified_at",
  "digest",
  "passage_count",
  "updated_at",
  "head",
  "body",
  "characters",
];
/** Observed use and the time of creation stay as they are. */
const UPSERT_DOCUMENTS = `insert into documents select * from json_populate_recordset(null::documents, $1::text::json)
  on conflict (id) do update set ${WRITTEN.map((column) => `${column} = excluded.${column}`).join(", ")}`;
const MOVE_DOCUMENTS = `update documents d set
  tier = r.tier, moving_from = r.moving_from, held = r.held, sequence = r.sequence, carried = r.carried,
  predicted_use = r.predicted_use, score = r.score, classified_at = r.classified_at
  from json_populate_recordset(null::documents, $1::text::json) r where d.id = r.id`;
