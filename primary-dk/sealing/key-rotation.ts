/** The destroying of data keys: what they were wrapped by is replaced. */
import type postgres from "postgres";
import { DocumentSeals } from "./document-seals.ts";
import { lockKeysAlone } from "./key-rows.ts";
import { Keyring, KeyringError, type KeyringPlace } from "./keyring.ts";

/** Content that was replaced leaves the disk so long afterwards: many replacements share one new key. */
const REPLACED_MS = 60_000;
/** Partitions in one round: with a million documents two seconds of one core. */
const ROUND_PARTITIONS = 32;

/**
 * Opens the keyring of the database; makes one when neither exists.
 *
 * @throws {KeyringError} when the database has keys that no key of the ring opens.
 */
async function openKeyring(sql: postgres.Sql, place: KeyringPlace): Promise<Keyring> {
  const used = await sql`select distinct partition, key_version from document_keys`;
  if (used.length === 0 && !Keyring.exists(place)) return Keyring.create(place);
  const ring = Keyring.open(place);
  const missing = used.filter((row) => ring.find(row["partition"], row["key_version"]) === null);
  if (missing.length > 0)
    throw new KeyringError(
      `expected the keyring in ${place.folder} to have the keys of the database; ${missing.length} of ${used.length} are not in it: it belongs to another database, or to another state of this one`,
    );
  const unfinished = ring.unfinished();
  if (unfinished.length > 0)
    await sql`
      insert into key_rotations (partition, since, urgent)
      select partition, now(), true from unnest(${unfinished}::int[]) as p(partition)
      on conflict (partition) do update set urgent = true`;
  return ring;
}

/** @throws {KeyringError} as `openKeyring`. */
export async function openSeals(
  sql: postgres.Sql,
  { keyring, ...options }: Pick<KeyRotationOptions, "now" | "destroyed"> & { readonly keyring: KeyringPlace },
): Promise<{ readonly seals: DocumentSeals; readonly keyRotation: KeyRotation }> {
  const ring = await openKeyring(sql, keyring);
  const seals = new DocumentSeals(ring);
  return { seals, keyRotation: new KeyRotation({ ...options, sql, ring, seals }) };
}

export interface KeyRotationOptions {
  readonly sql: postgres.Sql;
  readonly ring: Keyring;
  readonly seals: DocumentSeals;
  readonly now: () => number;
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
   * The new key is stored first, then every key of the partition is wrapped by it, then the old one is destroyed: a crash between leaves
   * both, and the next start goes on.
   */
  async round(): Promise<number> {
    const { sql, ring, now } = this.#options;
    const rows = await sql`
      select partition from key_rotations
      where urgent or since <= ${new Date(now() - REPLACED_MS)}
      order by urgent desc, since limit ${ROUND_PARTITIONS}`;
    const partitions = rows.map((row): number => row["partition"]);
    if (partitions.length === 0) return 0;
    ring.begin(partitions);
    for (const partition of partitions) await this.#wrapAnew(partition);
    ring.end(partitions);
    return partitions.length;
  }

  async #wrapAnew(partition: number): Promise<void> {
    const { sql, seals, destroyed } = this.#options;
    await sql.begin(async (tx) => {
      await lockKeysAlone(tx);
      const rows =
        await tx`select document_id, partition, key_version, wrapped from document_keys where partition = ${partition}`;
      const wrapped = rows.map((row) => seals.wrap(seals.keyOf(row)));
      await tx`
        update document_keys k set key_version = w.version, wrapped = decode(w.wrapped, 'hex')
        from unnest(
          ${wrapped.map(({ document_id }) => document_id)}::text[],
          ${wrapped.map(({ key_version }) => key_version)}::int[],
          ${wrapped.map(({ wrapped: bytes }) => Buffer.from(bytes).toString("hex"))}::text[]
        ) as w(id, version, wrapped)
        where k.document_id = w.id`;
      await tx`delete from key_rotations where partition = ${partition}`;
      await destroyed(tx, partition);
    });
  }
}
