/** The data keys of documents in a transaction. */
import type postgres from "postgres";
import { partitionOf, type DataKey, type DocumentSeals, type WrappedKey } from "./document-seals.ts";

/** "KEYS": writers of keys share it, who wraps them anew has it alone. */
const KEYS_LOCK = 0x4b455953;

/** Keys that are wrapped under this lock, until the transaction ends, are wrapped by a key that stays. */
export async function lockKeys(tx: postgres.TransactionSql): Promise<void> {
  await tx`select pg_advisory_xact_lock_shared(${KEYS_LOCK})`;
}

export async function lockKeysAlone(tx: postgres.TransactionSql): Promise<void> {
  await tx`select pg_advisory_xact_lock(${KEYS_LOCK})`;
}

/**
 * Stores the new keys, sets those of replaced contents aside, removes all of deleted documents, notes which partitions have lost one.
 *
 * A content that was replaced is in backups: its key is kept until they are gone.
 */
export async function replaceKeys(
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
): Promise<void> {
  const rows = [...keys.values()].map((key) => seals.wrap(key));
  const kept = [...replaced];
  const gone = [...deleted];
  if (kept.length > 0)
    await tx`
      insert into replaced_keys (document_id, key_id, partition, key_version, wrapped, replaced_at)
      select document_id, key_id, partition, key_version, wrapped, clock_timestamp()
      from document_keys where document_id = any(${kept})`;
  await Promise.all([
    rows.length > 0 && upsertKeys(tx, rows),
    gone.length > 0 && tx`delete from document_keys where document_id = any(${gone})`,
    gone.length > 0 && tx`delete from replaced_keys where document_id = any(${gone})`,
    gone.length > 0 && noteLost(tx, new Set(gone.map(partitionOf))),
  ]);
}

async function upsertKeys(tx: postgres.TransactionSql, rows: readonly WrappedKey[]): Promise<void> {
  const { ids, versions, wrapped, keyIds } = columnsOf(rows);
  await tx`
    insert into document_keys (document_id, partition, key_version, wrapped, key_id)
    select id, partition, version, decode(wrapped, 'hex'), decode(key_id, 'hex') from unnest(
      ${ids}::text[], ${rows.map(({ partition }) => partition)}::int[], ${versions}::int[], ${wrapped}::text[], ${keyIds}::text[]
    ) as k(id, partition, version, wrapped, key_id)
    on conflict (document_id) do update set
      key_version = excluded.key_version, wrapped = excluded.wrapped, key_id = excluded.key_id`;
}

/** Writes rows of either table with what wraps them now. */
export async function rewrap(
  tx: postgres.TransactionSql,
  table: "document_keys" | "replaced_keys",
  rows: readonly WrappedKey[],
): Promise<void> {
  if (rows.length === 0) return;
  const { ids, versions, wrapped, keyIds } = columnsOf(rows);
  await tx`
    update ${tx(table)} k set key_version = w.version, wrapped = decode(w.wrapped, 'hex')
    from unnest(${ids}::text[], ${versions}::int[], ${wrapped}::text[], ${keyIds}::text[]) as w(id, version, wrapped, key_id)
    where k.document_id = w.id and k.key_id = decode(w.key_id, 'hex')`;
}

function columnsOf(rows: readonly WrappedKey[]) {
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
  return {
    ids: rows.map(({ document_id }) => document_id),
    versions: rows.map(({ key_version }) => key_version),
    wrapped: rows.map(({ wrapped }) => hex(wrapped)),
    keyIds: rows.map(({ key_id }) => hex(key_id)),
  };
}

/** A deletion is due at once. */
export async function noteLost(tx: postgres.TransactionSql, partitions: ReadonlySet<number>): Promise<void> {
  await tx`
    insert into key_rotations (partition, since, urgent, losses)
    select partition, clock_timestamp(), true, 1 from unnest(${[...partitions]}::int[]) as l(partition)
    on conflict (partition) do update set urgent = true, losses = key_rotations.losses + 1`;
}
