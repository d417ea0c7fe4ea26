/** The data keys of documents in a transaction. */
import type postgres from "postgres";
import { partitionOf, type DataKey, type DocumentSeals } from "./document-seals.ts";

/** "KEYS": writers of keys share it, who wraps them anew has it alone. */
const KEYS_LOCK = 0x4b455953;

/** Keys that are wrapped under this lock, until the transaction ends, are wrapped by a key that stays. */
export async function lockKeys(tx: postgres.TransactionSql): Promise<void> {
  await tx`select pg_advisory_xact_lock_shared(${KEYS_LOCK})`;
}

export async function lockKeysAlone(tx: postgres.TransactionSql): Promise<void> {
  await tx`select pg_advisory_xact_lock(${KEYS_LOCK})`;
}

/** Stores the new keys, removes those of deleted documents, notes which partitions have lost one. */
export function replaceKeys(
  tx: postgres.TransactionSql,
  {
    seals,
    keys,
    deleted,
    replaced,
  }: {
    readonly seals: DocumentSeals;
    readonly keys: ReadonlyMap<string, DataKey>;
    readonly deleted: readonly string[];
    readonly replaced: readonly string[];
  },
): Promise<unknown>[] {
  const rows = [...keys.values()].map((key) => seals.wrap(key));
  const lost = new Map<number, boolean>();
  for (const id of replaced) lost.set(partitionOf(id), false);
  for (const id of deleted) lost.set(partitionOf(id), true);
  return [
    ...(rows.length === 0 ? [] : [upsertKeys(tx, rows)]),
    ...(deleted.length === 0 ? [] : [tx`delete from document_keys where document_id = any(${[...deleted]})`]),
    ...(lost.size === 0 ? [] : [noteLost(tx, lost)]),
  ];
}

async function upsertKeys(
  tx: postgres.TransactionSql,
  rows: readonly ReturnType<DocumentSeals["wrap"]>[],
): Promise<void> {
  await tx`
    insert into document_keys (document_id, partition, key_version, wrapped)
    select id, partition, version, decode(wrapped, 'hex') from unnest(
      ${rows.map(({ document_id }) => document_id)}::text[], ${rows.map(({ partition }) => partition)}::int[],
      ${rows.map(({ key_version }) => key_version)}::int[],
      ${rows.map(({ wrapped }) => Buffer.from(wrapped).toString("hex"))}::text[]
    ) as k(id, partition, version, wrapped)
    on conflict (document_id) do update set key_version = excluded.key_version, wrapped = excluded.wrapped`;
}

async function noteLost(tx: postgres.TransactionSql, lost: ReadonlyMap<number, boolean>): Promise<void> {
  await tx`
    insert into key_rotations (partition, since, urgent)
    select partition, clock_timestamp(), urgent = 1
    from unnest(${[...lost.keys()]}::int[], ${[...lost.values()].map(Number)}::int[]) as l(partition, urgent)
    on conflict (partition) do update set urgent = key_rotations.urgent or excluded.urgent`;
}
