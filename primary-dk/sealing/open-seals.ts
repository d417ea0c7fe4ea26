/** Opens the keys of a database, those of a restored one too. */
import type postgres from "postgres";
import { DocumentSeals, keyIdOf, partitionOf, type DataKey, type WrappedKey } from "./document-seals.ts";
import { KeyRotation, type KeyRotationOptions } from "./key-rotation.ts";
import { lockKeysAlone, rewrap } from "./key-rows.ts";
import { Keyring, type KeyringPlace } from "./keyring.ts";

export interface OpenSeals {
  readonly seals: DocumentSeals;
  readonly keyRotation: KeyRotation;
  /** Documents of a restored database whose key was destroyed since: they were erased, or replaced too long ago. */
  readonly erased: readonly string[];
}

/** @throws {KeyringError} when there is no keyring for a database that has keys, or the root key is another. */
export async function openSeals(
  sql: postgres.Sql,
  {
    keyring,
    ...options
  }: Omit<KeyRotationOptions, "sql" | "ring" | "seals"> & { readonly keyring: KeyringPlace },
): Promise<OpenSeals> {
  const [known] = await sql`select exists (select from document_keys) as has_keys`;
  const isNew = known?.["has_keys"] !== true && !Keyring.exists(keyring);
  const ring = isNew ? Keyring.create(keyring) : Keyring.open(keyring);
  const seals = new DocumentSeals(ring);
  const erased = isNew ? [] : await recoverKeys(sql, { ring, seals });
  const unfinished = ring.unfinished();
  if (unfinished.length > 0)
    await sql`
      insert into key_rotations (partition, since, urgent)
      select partition, now(), true from unnest(${unfinished}::int[]) as p(partition)
      on conflict (partition) do update set urgent = true`;
  return { seals, keyRotation: new KeyRotation({ ...options, sql, ring, seals }), erased };
}

/**
 * Wraps the keys of a database from before a replacement of wrapping keys by those of today, as the keyring has kept them.
 *
 * Resolves with the documents whose keys it no longer has.
 */
async function recoverKeys(
  sql: postgres.Sql,
  { ring, seals }: { readonly ring: Keyring; readonly seals: DocumentSeals },
): Promise<readonly string[]> {
  const used = await sql`
    select distinct partition, key_version from document_keys
    union select distinct partition, key_version from replaced_keys`;
  const lost = used.filter((row) => ring.find(row["partition"], row["key_version"]) === null);
  const erased: string[] = [];
  for (const { partition, key_version: version } of lost)
    await sql.begin(async (tx) => {
      await lockKeysAlone(tx);
      const kept = new Map<string, DataKey>(
        ring
          .escrowed(partition)
          .filter(({ documentId }) => partitionOf(documentId) === partition)
          .map((key) => [nameOf(key.documentId, keyIdOf(key.key)), key]),
      );
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
        if (table === "document_keys") erased.push(...gone);
        else
          await tx`
            delete from replaced_keys
            where partition = ${partition} and key_version = ${version} and document_id = any(${gone})`;
      }
    });
  return erased;
}

function nameOf(documentId: string, keyId: Uint8Array): string {
  return `${Buffer.from(keyId).toString("hex")} ${documentId}`;
}
