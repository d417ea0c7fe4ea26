/** The destroying of data keys: what they were wrapped by is replaced. */
import type postgres from "postgres";
import type { DocumentSeals, WrappedKey } from "./document-seals.ts";
import { lockKeysAlone, rewrap } from "./key-rows.ts";
import type { EscrowedKey, Keyring } from "./keyring.ts";

/** Keys whose time is over wait so long for others of their partition. */
const EXPIRED_MS = 60_000;
/** Partitions in one round: with a million documents two seconds of one core. */
const ROUND_PARTITIONS = 32;
const TABLES = ["document_keys", "replaced_keys"] as const;

export interface KeyRotationOptions {
  readonly sql: postgres.Sql;
  readonly ring: Keyring;
  readonly seals: DocumentSeals;
  readonly now: () => number;
  /** How long a replaced content can still be opened, from a backup. */
  readonly replacedMs: number;
  /** Called with each transaction that wraps a partition anew. */
  readonly destroyed: (tx: postgres.TransactionSql, partition: number) => Promise<void>;
}

export class KeyRotation {
  readonly #options: KeyRotationOptions;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
  }

  /**
   * Resolves with how many partitions got a new key.
   *
   * The new key is stored first, then every key of the partition is wrapped by it and stored in escrow, then the old one is destroyed:
   * a crash between leaves both, and the next start goes on.
   */
  async round(): Promise<number> {
    const { sql, ring, now } = this.#options;
    await this.#expire();
    const rows = await sql`
      select partition from key_rotations
      where urgent or since <= ${new Date(now() - EXPIRED_MS)}
      order by urgent desc, since limit ${ROUND_PARTITIONS}`;
    const partitions = rows.map((row): number => row["partition"]);
    if (partitions.length === 0) return 0;
    ring.begin(partitions);
    for (const partition of partitions) ring.escrow(partition, await this.#wrapAnew(partition));
    ring.end(partitions);
    return partitions.length;
  }

  /** Removes the keys of contents that were replaced so long ago that no backup has them. */
  async #expire(): Promise<void> {
    const { sql, now, replacedMs } = this.#options;
    await sql`
      with expired as (
        delete from replaced_keys where replaced_at <= ${new Date(now() - replacedMs)} returning partition
      )
      insert into key_rotations (partition, since, urgent)
      select distinct partition, ${new Date(now())}::timestamptz, false from expired on conflict do nothing`;
  }

  /** Resolves with every key that the partition has. */
  #wrapAnew(partition: number): Promise<readonly EscrowedKey[]> {
    const { sql, seals, destroyed } = this.#options;
    return sql.begin(async (tx) => {
      await lockKeysAlone(tx);
      const kept: EscrowedKey[] = [];
      for (const table of TABLES) {
        const rows = await tx`
          select document_id, partition, key_version, wrapped from ${tx(table)} where partition = ${partition}`;
        const wrapped = rows.map((row): WrappedKey => {
          const key = seals.keyOf(row);
          kept.push(key);
          return seals.wrap(key);
        });
        await rewrap(tx, table, wrapped);
      }
      await tx`delete from key_rotations where partition = ${partition}`;
      await destroyed(tx, partition);
      return kept;
    });
  }
}
