/** The keys that wrap the data keys of documents, kept apart from the database. */
import type { KeyObject } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { finishShredding, replaceAndShred } from "./shred.ts";
import { KEY_BYTES, SealError, newKey, seal, sealKeyOf, unseal } from "./seal.ts";

/** With a million documents an erasure wraps a thousand keys anew: some twenty milliseconds. */
export const PARTITIONS = 1_024;
const FILE = "keyring";
/** A snapshot that began before so many replacements of one key fails, and is taken again. */
const REMEMBERED_VERSIONS = 4;

/** Of a site's data folder. */
export function keyringFolder(data: string): string {
  return join(data, "keys");
}

const CONTEXT = "kattegat keyring";

export const keyringPlaceSchema = z.object({
  folder: z.string(),
  /** A file with 32 bytes in base64url, of the operator's secret store. */
  rootKeyFile: z.string(),
});
export type KeyringPlace = Readonly<z.infer<typeof keyringPlaceSchema>>;

export interface PartitionKey {
  readonly version: number;
  readonly key: Buffer;
  readonly sealKey: KeyObject;
}

const fileSchema = z.object({
  format: z.literal(1),
  /** Of each partition its keys by version, the last the one in use: two while keys are being wrapped anew. */
  partitions: z
    .array(
      z
        .array(z.tuple([z.int().min(1), z.base64()]))
        .min(1)
        .max(2),
    )
    .length(PARTITIONS),
});

/** A data key as the keyring keeps it beside the database. */
export interface EscrowedKey {
  readonly documentId: string;
  readonly key: Uint8Array;
}

const escrowSchema = z.array(z.tuple([z.string(), z.base64()]));

function partitionKey(version: number, key: Buffer): PartitionKey {
  return { version, key, sealKey: sealKeyOf(key) };
}

function escrowContext(partition: number): string {
  return `kattegat escrow ${partition}`;
}

/** The keyring is missing or is not this database's. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";
}

/**
 * One key for each partition of documents.
 *
 * A partition's key is replaced to destroy what it wraps: rows in pages, in the WAL, at the standby and in backups stay, and nobody can
 * open them. A process remembers the keys that it has seen, so that a snapshot which began before can be read to its end; the file
 * does not.
 */
export class Keyring {
  readonly #place: KeyringPlace;
  readonly #rootKey: Buffer;
  readonly #rootSealKey: KeyObject;
  /** What the file holds, by partition. */
  #partitions: readonly (readonly PartitionKey[])[] = [];
  readonly #seen = new Map<string, KeyObject>();
  /** Of the file that was read, or of one before it. */
  #stamp = "";

  private constructor(place: KeyringPlace) {
    this.#place = place;
    this.#rootKey = readRootKey(place.rootKeyFile);
    this.#rootSealKey = sealKeyOf(this.#rootKey);
  }

  /** @throws {KeyringError} when there is no keyring, or the root key is another. */
  static open(place: KeyringPlace): Keyring {
    const ring = Keyring.read(place);
    finishShredding(place.folder);
    return ring;
  }

  /** For a reader beside the primary: changes nothing. @throws {KeyringError} as `open`. */
  static read(place: KeyringPlace): Keyring {
    const ring = new Keyring(place);
    ring.#read();
    return ring;
  }

  static exists({ folder }: Pick<KeyringPlace, "folder">): boolean {
    return existsSync(join(folder, FILE));
  }

  /** Makes a keyring of new keys. */
  static create(place: KeyringPlace): Keyring {
    const ring = new Keyring(place);
    mkdirSync(place.folder, { recursive: true, mode: 0o700 });
    ring.#store(Array.from({ length: PARTITIONS }, () => [partitionKey(1, newKey())]));
    return ring;
  }

  /** Of the operator's secret, for other purposes than wrapping. */
  get rootKey(): Uint8Array {
    return this.#rootKey;
  }

  /** The key that wraps from now on. */
  current(partition: number): PartitionKey {
    const last = this.#partitions[partition]?.at(-1);
    if (last === undefined)
      throw new RangeError(`expected a partition below ${PARTITIONS}, got ${partition}`);
    return last;
  }

  /** Null for a key that was destroyed before this process began. */
  find(partition: number, version: number): KeyObject | null {
    const name = `${partition} ${version}`;
    const known = this.#seen.get(name);
    if (known !== undefined) return known;
    // Another thread of this site may have replaced keys since; where none has, the file is not read for each key that is gone.
    this.refresh();
    return this.#seen.get(name) ?? null;
  }

  /** Takes what another process has changed; under the lock on keys, so that nothing is wrapped by a key that is gone. */
  refresh(): void {
    if (stampOf(this.#place) !== this.#stamp) this.#read();
  }

  #read(): void {
    // Before the reading, and kept after it: a file that was replaced meanwhile, or could not be read, is read again.
    const stamp = stampOf(this.#place);
    this.#partitions = readPartitions(this.#place, this.#rootKey);
    this.#stamp = stamp;
    this.#remember();
  }

  /** Partitions whose keys were being wrapped anew when the process before ended. */
  unfinished(): readonly number[] {
    return this.#partitions.flatMap((keys, partition) => (keys.length > 1 ? [partition] : []));
  }

  /** Stores the keys of a partition's documents apart from the database, sealed by the key that wraps them now. */
  escrow(partition: number, keys: readonly EscrowedKey[]): void {
    const content = keys.map(({ documentId, key }) => [documentId, Buffer.from(key).toString("base64")]);
    const sealed = seal(
      this.current(partition).sealKey,
      Buffer.from(JSON.stringify(content)),
      escrowContext(partition),
    );
    replaceAndShred(this.#escrowPath(partition), sealed);
  }

  /** What was stored when the partition got its key; empty for one that still has its first. */
  escrowed(partition: number): readonly EscrowedKey[] {
    const path = this.#escrowPath(partition);
    if (!existsSync(path)) {
      if (this.current(partition).version === 1) return [];
      throw new KeyringError(`expected the escrow of partition ${partition} at ${path}`);
    }
    // Between the two steps of a replacement it may be of either key.
    const keys = this.#partitions[partition]?.toReversed() ?? [];
    for (const { sealKey } of keys) {
      try {
        const content = unseal(sealKey, readFileSync(path), escrowContext(partition)).toString("utf8");
        return escrowSchema
          .parse(JSON.parse(content))
          .map(([documentId, text]) => ({ documentId, key: Buffer.from(text, "base64") }));
      } catch (error) {
        if (!(error instanceof SealError)) throw error;
      }
    }
    throw new KeyringError(`expected the escrow at ${path} to be of partition ${partition}'s key`);
  }

  #escrowPath(partition: number): string {
    return join(this.#place.folder, `escrow-${partition}`);
  }

  /** Gives the partitions new keys beside those before; stored when it returns. */
  begin(partitions: readonly number[]): void {
    this.#change(partitions, (keys) => {
      const last = keys.at(-1);
      if (last === undefined || keys.length > 1) return keys;
      return [...keys, partitionKey(last.version + 1, newKey())];
    });
  }

  /** Destroys the keys before the last; the file that held them is overwritten when it returns. */
  end(partitions: readonly number[]): void {
    this.#change(partitions, (keys) => keys.slice(-1));
  }

  #change(
    partitions: readonly number[],
    change: (keys: readonly PartitionKey[]) => readonly PartitionKey[],
  ): void {
    this.refresh();
    const wanted = new Set(partitions);
    const next = this.#partitions.map((keys, partition) => (wanted.has(partition) ? change(keys) : keys));
    this.#store(next);
  }

  #store(partitions: readonly (readonly PartitionKey[])[]): void {
    const content = {
      format: 1,
      partitions: partitions.map((keys) => keys.map(({ version, key }) => [version, key.toString("base64")])),
    };
    const sealed = seal(this.#rootSealKey, Buffer.from(JSON.stringify(content)), CONTEXT);
    replaceAndShred(join(this.#place.folder, FILE), sealed);
    this.#stamp = stampOf(this.#place);
    this.#partitions = partitions;
    this.#remember();
  }

  #remember(): void {
    for (const [partition, keys] of this.#partitions.entries())
      for (const { version, sealKey } of keys) {
        this.#seen.set(`${partition} ${version}`, sealKey);
        this.#seen.delete(`${partition} ${version - REMEMBERED_VERSIONS}`);
      }
  }
}

function readRootKey(file: string): Buffer {
  let text: string;
  try {
    text = readFileSync(file, "utf8").trim();
  } catch (cause) {
    throw new KeyringError(`expected the root key at ${file}, cannot read it`, { cause });
  }
  const key = Buffer.from(text, "base64url");
  if (key.byteLength !== KEY_BYTES)
    throw new KeyringError(`expected ${KEY_BYTES} bytes in base64url at ${file}, got ${key.byteLength}`);
  return key;
}

/** Changes whenever the file does. */
function stampOf({ folder }: KeyringPlace): string {
  const status = statSync(join(folder, FILE), { throwIfNoEntry: false, bigint: true });
  return status === undefined ? "" : `${status.ino} ${status.mtimeNs} ${status.size}`;
}

function readPartitions({ folder }: KeyringPlace, rootKey: Buffer): readonly (readonly PartitionKey[])[] {
  const path = join(folder, FILE);
  const sealKey = sealKeyOf(rootKey);
  const open = (): Buffer => unseal(sealKey, readFileSync(path), CONTEXT);
  let content: Buffer;
  try {
    content = open();
  } catch {
    try {
      // It may have been replaced, and the old one overwritten, while it was read.
      content = open();
    } catch (cause) {
      throw new KeyringError(`expected a keyring at ${path} that the root key opens`, { cause });
    }
  }
  const { partitions } = fileSchema.parse(JSON.parse(content.toString("utf8")));
  return partitions.map((keys) =>
    keys.map(([version, key]) => partitionKey(version, Buffer.from(key, "base64"))),
  );
}
