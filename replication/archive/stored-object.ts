/** The body of an archive's object: a sealed document, and a checksum by which whoever has no key tells whether it is as it was written. */
import { hash } from "node:crypto";
import { sealedRecordSchema, type SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import { z } from "zod";

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
