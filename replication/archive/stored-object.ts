/** The body of an archive's object: a sealed document with a checksum, which needs no key. */
import { hash } from "node:crypto";
import { sealedRecordSchema, type SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import { z } from "zod";
import type { Bucket } from "./bucket.ts";
import { keyOf } from "./object-name.ts";

const CHECKSUM = "sha256";

const storedSchema = z.looseObject({ [CHECKSUM]: z.string().optional() });

export interface StoredDocument {
  readonly sealed: SealedRecord;
  /** Whether the checksum is that of the document; false where there is none. */
  readonly isSound: boolean;
}

/** The checksum is of the JSON without it, and stands last. */
export function encodeObject(sealed: SealedRecord): Uint8Array<ArrayBuffer> {
  const text = JSON.stringify(sealed);
  return Buffer.from(`${text.slice(0, -1)},"${CHECKSUM}":"${checksumOf(text)}"}`);
}

/**
 * Its checksum is no defence against somebody who alters an object on purpose: that is what the seals are for.
 *
 * @throws {SyntaxError | z.ZodError} for what is no sealed document.
 */
export function decodeObject(bytes: Uint8Array): StoredDocument {
  const stored = storedSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
  const { [CHECKSUM]: checksum, ...sealed } = stored;
  return {
    sealed: sealedRecordSchema.parse(sealed),
    isSound: checksum === checksumOf(JSON.stringify(sealed)),
  };
}

function checksumOf(text: string): string {
  return hash("sha256", text, "hex");
}

/** Whether an object is not what was stored under its name; null for one that is gone. */
export async function isDamaged(
  key: string,
  bucket: Pick<Bucket, "get">,
  signal: AbortSignal,
): Promise<boolean | null> {
  const stored = await bucket.get(key, signal);
  if (stored === null) return null;
  try {
    const { sealed, isSound } = decodeObject(stored.bytes);
    return !isSound || keyOf(sealed) !== key;
  } catch {
    // No sealed document, or none any more.
    return true;
  }
}
