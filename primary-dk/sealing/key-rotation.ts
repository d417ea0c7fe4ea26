/** The destroying of data keys: what they were wrapped by is replaced. */
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import type postgres from "postgres";
import { z } from "zod";
import { checkedRows, columnsOf, rowSchema } from "../postgres/checked-rows.ts";
import type { keyRotations } from "../postgres/schema.ts";
import type { DocumentSeals, WrappedKey } from "./document-seals.ts";
import type { Erasure, ErasureList } from "./erasure-list.ts";
import { lockKeysAlone, rewrap } from "./key-rows.ts";
import type { EscrowedKey, Keyring } from "./keyring.ts";

/** Keys whose time is over wait so long for others of their partition. */
const EXPIRED_MS = 60_000;
/** Partitions in one round: writes wait for it, with a million documents for a third of a second. */
const ROUND_PARTITIONS = 8;
const TABLES = ["document_keys", "replaced_keys"] as const;

export interface KeyRotationOptions {
  readonly sql: postgres.Sql;
  readonly ring: Keyring;
  readonly seals: DocumentSeals;
  readonly erasures: ErasureList;
  readonly now: () => number;
  /** How long a replaced content can still be opened, from a backup. */
  readonly replacedMs: number;
  /** What deletions of the log up to a sequence are about to be of no return in these partitions. */
  readonly destroying: (
    tx: postgres.TransactionSql,
    at: { readonly partitions: readonly number[]; readonly sequence: string },
  ) => Promise<readonly Erasure[]>;
  /** Called once their keys are destroyed. */
  readonly destroyed: (tx: postgres.TransactionSql, erasures: readonly Erasure[]) => Promise<void>;
}

const dueRow = rowSchema<typeof keyRotations.$inferSelect>()({
  partition: z.int(),
  /** How often the partition has lost a key. */
  losses: sequenceSchema,
});
type Due = Readonly<z.infer<typeof dueRow>>;

interface Wrapped {
  readonly due: readonly Due[];
  readonly erasures: readonly Erasure[];
}

export class KeyRotation {
  readonly #options: KeyRotationOptions;

  constructor(options: KeyRotationOptions) {
    this.#options = options;
  }

  /**
   * Resolves with how many partitions got a new key.
   *
   * While nobody else may wrap a key, new ones are stored beside the old ones, and everything is wrapped by them and stored in
   * escrow; erasures are listed; then the old keys are destroyed; only then is that recorded. A crash between leaves both keys: the
   * next round ends what was begun, and begins again for the keys that were to be destroyed, since they may be wrapped by either.
   */
  async round(): Promise<number> {
    const { sql, ring } = this.#options;
    await this.#expire();
    await this.#endUnfinished();
    // Writers wait for whoever has the keys alone, so nobody asks for that with nothing to do.
    if ((await this.#due(sql)).length === 0) return 0;
    const { due, erasures } = await sql.begin(async (tx) => await this.#wrapDue(tx));
    if (due.length === 0) return 0;
    this.#options.erasures.append(erasures);
    await sql.begin(async (tx) => {
      await lockKeysAlone(tx);
      ring.end(due.map(({ partition }) => partition));
      await this.#options.destroyed(tx, erasures);
      for (const { partition, losses } of due)
        await tx`delete from key_rotations where partition = ${partition} and losses = ${losses}`;
    });
    return due.length;
  }

  async #due(sql: postgres.Sql | postgres.TransactionSql): Promise<readonly Due[]> {
    const rows = await sql`
      select ${sql(columnsOf(dueRow))} from key_rotations
      where urgent or since <= ${new Date(this.#options.now() - EXPIRED_MS)}
      order by urgent desc, since limit ${ROUND_PARTITIONS}`;
    return checkedRows(dueRow, rows);
  }

  async #wrapDue(tx: postgres.TransactionSql): Promise<Wrapped> {
    const { ring } = this.#options;
    await lockKeysAlone(tx);
    const due = await this.#due(tx);
    if (due.length === 0) return { due, erasures: [] };
    const partitions = due.map(({ partition }) => partition);
    // Nobody is writing: what the log has now is what these keys' destruction ends.
    const [head] = await tx`select sequence from log_head`;
    ring.begin(partitions);
    for (const partition of partitions) await this.#wrapAnew(tx, partition);
    const erasures = await this.#options.destroying(tx, { partitions, sequence: String(head?.["sequence"]) });
    return { due, erasures };
  }

  /** Wraps by the new keys whatever a round that broke off has left with the old ones, and destroys those. */
  async #endUnfinished(): Promise<void> {
    const { sql, ring } = this.#options;
    const partitions = ring.unfinished();
    if (partitions.length === 0) return;
    const erasures = await sql.begin(async (tx) => {
      await lockKeysAlone(tx);
      for (const partition of partitions) await this.#wrapAnew(tx, partition);
      const [head] = await tx`select sequence from log_head`;
      return await this.#options.destroying(tx, { partitions, sequence: String(head?.["sequence"]) });
    });
    this.#options.erasures.append(erasures);
    await sql.begin(async (tx) => {
      await lockKeysAlone(tx);
      ring.end(partitions);
    });
  }

  /** Removes the keys of contents that were replaced so long ago that no backup has them. */
  async #expire(): Promise<void> {
    const { sql, now, replacedMs } = this.#options;
    await sql`
      with expired as (
        delete from replaced_keys where replaced_at <= ${new Date(now() - replacedMs)} returning partition
      )
      insert into key_rotations (partition, since, urgent, losses)
      select distinct partition, ${new Date(now())}::timestamptz, false, 1 from expired
      on conflict (partition) do update set losses = key_rotations.losses + 1`;
  }

  async #wrapAnew(tx: postgres.TransactionSql, partition: number): Promise<void> {
    const { ring, seals } = this.#options;
    const kept: EscrowedKey[] = [];
    for (const table of TABLES) {
      const rows = await tx`
        select document_id, partition, key_version, wrapped, key_id from ${tx(table)} where partition = ${partition}`;
      const wrapped = rows.map((row): WrappedKey => {
        const key = seals.keyOf(row);
        kept.push(key);
        return seals.wrap(key);
      });
      await rewrap(tx, table, wrapped);
    }
    ring.escrow(partition, kept);
  }
}
