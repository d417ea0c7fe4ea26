/** The data keys of documents with what they seal. */
import { createHmac, hash, hkdfSync, type Hmac, type KeyObject } from "node:crypto";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type postgres from "postgres";
import { bytesOfFloats, bytesOfSparse, floatsOfBytes, sparseOfBytes } from "../documents/vectors.ts";
import { PARTITIONS, type Keyring } from "./keyring.ts";
import { SealError, newKey, seal, sealKeyOf, unseal } from "./seal.ts";

/** A row of `document_keys`. */
export interface WrappedKey {
  readonly document_id: string;
  readonly partition: number;
  readonly key_version: number;
  readonly wrapped: Uint8Array;
  readonly key_id: Uint8Array;
}

/** The key of one content of one document: each write of content gets a new one. */
export interface DataKey {
  readonly documentId: string;
  readonly key: Uint8Array;
  readonly sealKey: KeyObject;
}

/** What people recognise a document by, beside its text. */
export interface DocumentHead {
  readonly title: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Of a document whose passages the caller gave: the ordinals of those that came with a vector, and its model. */
  readonly given?: { readonly model: string; readonly vectors: readonly number[] } | undefined;
}

/** Among the contents of one document. */
const KEY_ID_BYTES = 16;
const KEY_ID_CONTEXT = Buffer.from("kattegat key id");

/** The columns that `keyOf` needs, in SQL: `k` is `document_keys`. */
export const KEY_COLUMNS = ["k.partition", "k.key_version", "k.wrapped"] as const;

/** The partition of a document's key: evenly, and the same for ever. */
export function partitionOf(documentId: string): number {
  return partitionOfHash(hash("sha256", documentId, "buffer"));
}

/** By the SHA-256 of the id. */
export function partitionOfHash(sha256: Buffer): number {
  return sha256.readUInt16BE(0) % PARTITIONS;
}

export class DocumentSeals {
  readonly #ring: Keyring;
  readonly #digestKey: Uint8Array;
  #last: { readonly wrapped: Uint8Array; readonly dataKey: DataKey } | null = null;

  constructor(ring: Keyring) {
    this.#ring = ring;
    this.#digestKey = new Uint8Array(hkdfSync("sha256", ring.rootKey, "", "kattegat content digest", 32));
  }

  newKey(documentId: string): DataKey {
    return dataKeyOf(documentId, newKey());
  }

  /** Begins a digest of content that nobody can compare with a guess who has not the root key. */
  digest(): Hmac {
    return createHmac("sha256", this.#digestKey);
  }

  /** Under the transaction's lock on the keys, before anything is wrapped. */
  refresh(): void {
    this.#ring.refresh();
  }

  /** Under the transaction's lock on the keys: a version that is being replaced may wrap nothing more. */
  wrap({ documentId, key }: Pick<DataKey, "documentId" | "key">): WrappedKey {
    const partition = partitionOf(documentId);
    const { version, sealKey: wrapping } = this.#ring.current(partition);
    const wrapped = seal(wrapping, key, contextOfKey(documentId));
    return { document_id: documentId, partition, key_version: version, wrapped, key_id: keyIdOf(key) };
  }

  /**
   * The key of the row's document; `id` names it where the row does not.
   *
   * @throws {SealError} when the key that wraps it was destroyed.
   */
  keyOf(row: postgres.Row, id = String(row["id"] ?? row["document_id"])): DataKey {
    const wrapped: Uint8Array = row["wrapped"];
    // Rows of one document follow each other.
    if (this.#last?.dataKey.documentId === id && Buffer.compare(this.#last.wrapped, wrapped) === 0)
      return this.#last.dataKey;
    const dataKey = dataKeyOf(id, unseal(this.#wrappingOf(row), wrapped, contextOfKey(id)));
    this.#last = { wrapped, dataKey };
    return dataKey;
  }

  /**
   * The key wrapped for a place that does not know the document's id, by the version that wraps it in the row: one that is being
   * replaced because this key is to be destroyed must not hand it on to the next.
   *
   * @throws {SealError} when the key that wraps it was destroyed.
   */
  wrapNamed(row: postgres.Row, name: string): Uint8Array {
    const { key } = this.keyOf(row);
    return seal(this.#wrappingOf(row), key, contextOfNamedKey(name));
  }

  #wrappingOf({ partition, key_version: version }: postgres.Row): KeyObject {
    const wrapping = this.#ring.find(partition, version);
    if (wrapping !== null) return wrapping;
    throw new SealError(`expected key ${version} of partition ${partition}, it was destroyed`);
  }
}

/** The key that was wrapped for a place that knows the document by `name`. */
export function unwrapNamed(wrapping: KeyObject, wrapped: Uint8Array, name: string): Buffer {
  return unseal(wrapping, wrapped, contextOfNamedKey(name));
}

/** Names a key without telling it: which of a document's contents it is of. */
export function keyIdOf(key: Uint8Array): Buffer {
  return hash("sha256", Buffer.concat([KEY_ID_CONTEXT, key]), "buffer").subarray(0, KEY_ID_BYTES);
}

export function dataKeyOf(documentId: string, key: Uint8Array): DataKey {
  return { documentId, key, sealKey: sealKeyOf(key) };
}

function contextOfKey(documentId: string): string {
  return `key\n${documentId}`;
}

function contextOfNamedKey(name: string): string {
  return `named key\n${name}`;
}

function contextOf({ documentId }: DataKey, field: string): string {
  return `${field}\n${documentId}`;
}

export function sealHead(key: DataKey, { title, metadata, given }: DocumentHead): Buffer {
  return seal(key.sealKey, Buffer.from(JSON.stringify({ title, metadata, given })), contextOf(key, "head"));
}

export function openHead(key: DataKey, sealed: Uint8Array): DocumentHead {
  const head: DocumentHead = JSON.parse(unseal(key.sealKey, sealed, contextOf(key, "head")).toString("utf8"));
  return head;
}

/** `field` is `body` for a document's text, `own 3` for the third passage's own. */
export function sealText(key: DataKey, field: string, text: string): Buffer {
  return seal(key.sealKey, Buffer.from(text, "utf8"), contextOf(key, field));
}

export function openText(key: DataKey, field: string, sealed: Uint8Array): string {
  return unseal(key.sealKey, sealed, contextOf(key, field)).toString("utf8");
}

/** A vector of the model to come becomes the serving one where it stands, so both seal for the same place. */
export function sealDense(key: DataKey, ordinal: number, vector: Float32Array): Buffer {
  return seal(key.sealKey, bytesOfFloats(vector), contextOf(key, `dense ${ordinal}`));
}

export function openDense(key: DataKey, ordinal: number, sealed: Uint8Array): Float32Array<ArrayBuffer> {
  return floatsOfBytes(unseal(key.sealKey, sealed, contextOf(key, `dense ${ordinal}`)));
}

export function sealSparse(key: DataKey, ordinal: number, vector: SparseVector): Buffer {
  return seal(key.sealKey, bytesOfSparse(vector), contextOf(key, `sparse ${ordinal}`));
}

export function openSparse(key: DataKey, ordinal: number, sealed: Uint8Array): SparseVector {
  return sparseOfBytes(unseal(key.sealKey, sealed, contextOf(key, `sparse ${ordinal}`)));
}
