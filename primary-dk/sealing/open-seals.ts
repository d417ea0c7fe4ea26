/** Opens the keys of a database, those of a restored one too. */
import type postgres from "postgres";
import { DocumentSeals, keyIdOf, type WrappedKey } from "./document-seals.ts";
import { ErasureList } from "./erasure-list.ts";
import { KeyRotation, type KeyRotationOptions } from "./key-rotation.ts";
import { lockKeysAlone, rewrap } from "./key-rows.ts";
import { Keyring, KeyringError, type EscrowedKey, type KeyringPlace } from "./keyring.ts";

export interface OpenSeals {
  readonly seals: DocumentSeals;
  readonly keyRotation: KeyRotation;
  /** Documents of a restored database that the list of erasures names, and whose key was destroyed since. */
  readonly erased: readonly string[];
}

/**
 * @throws {KeyringError} when there is no keyring for a database that has keys, the root key is another, or a key is missing without an
 * erasure that explains it: a keyring of another database must not pass for erasures of this one.
 */
export async function openSeals(
  sql: postgres.Sql,
  {
    keyring,
    ...options
  }: Omit<KeyRotationOptions, "sql" | "ring" | "seals" | "erasures"> & { readonly keyring: KeyringPlace },
): Promise<OpenSeals> {
  const [known] = await sql`select exists (select from document_keys) as has_keys`;
  const isNew = known?.["has_keys"] !== true && !Keyring.exists(keyring);
  const ring = isNew ? Keyring.create(keyring) : Keyring.open(keyring);
  const seals = new DocumentSeals(ring);
  const erasures = new ErasureList(keyring.folder);
  const erased = isNew ? [] : await recoverKeys(sql, { ring, seals, erasures });
  return { seals, keyRotation: new KeyRotation({ ...options, sql, ring, seals, erasures }), erased };
}

/**
 * Wraps the keys of a database from before a replacement of wrapping keys by those of today, as the keyring has kept them.
 *
 * Resolves with the documents whose keys it no longer has, since they were erased.
 */
async function recoverKeys(
  sql: postgres.Sql,
  {
    ring,
    seals,
    erasures,
  }: { readonly ring: Keyring; readonly seals: DocumentSeals; readonly erasures: ErasureList },
): Promise<readonly string[]> {
  const used = await sql`
    select distinct partition, key_version from document_keys
    union select distinct partition, key_version from replaced_keys`;
  const lost = used.filter((row) => ring.find(row["partition"], row["key_version"]) === null);
  if (lost.length === 0) return [];
  const known = erasures.documents();
  const erased: string[] = [];
  await sql.begin(async (tx) => {
    await lockKeysAlone(tx);
    for (const { partition, key_version: version } of lost) {
      const missing = await recoverPartition(tx, { partition, version, ring, seals });
      const unexplained = missing.filter((id) => !known.has(id));
      if (unexplained.length > 0)
        throw new KeyringError(
          `expected the keyring to have the keys of the database, or the list of erasures to say why not; ${unexplained.length} documents of partition ${partition} have neither: the keyring is of another database, a part of it is missing, or the backup is older than replaced contents are kept`,
        );
      erased.push(...missing);
    }
  });
  return erased;
}

/** Resolves with the documents of which the escrow has no key. */
async function recoverPartition(
  tx: postgres.TransactionSql,
  {
    partition,
    version,
    ring,
    seals,
  }: {
    readonly partition: number;
    readonly version: number;
    readonly ring: Keyring;
    readonly seals: DocumentSeals;
  },
): Promise<readonly string[]> {
  const kept = new Map<string, EscrowedKey>(
    ring.escrowed(partition).map((key) => [nameOf(key.documentId, keyIdOf(key.key)), key]),
  );
  const missing: string[] = [];
  for (const table of ["document_keys", "replaced_keys"] as const) {
    const rows = await tx`
      select document_id, key_id from ${tx(table)} where partition = ${partition} and key_version = ${version}`;
    const found: WrappedKey[] = [];
    const gone: string[] = [];
    for (const row of rows) {
      const key = kept.get(nameOf(row["document_id"], row["key_id"]));
      if (key === undefined) gone.push(row["document_id"]);
      else found.push(seals.wrap(key));
    }
    await rewrap(tx, table, found);
    if (table === "document_keys") missing.push(...gone);
    // Contents that were replaced before the backup and are let go since.
    else
      await tx`
        delete from replaced_keys
        where partition = ${partition} and key_version = ${version} and document_id = any(${gone})`;
  }
  return missing;
}

function nameOf(documentId: string, keyId: Uint8Array): string {
  return `${Buffer.from(keyId).toString("hex")} ${documentId}`;
}
