/** The names of an archive's objects: all that an audit needs is in them. */
import type { SealedRecord } from "@kattegat/protocol/sealed-record.ts";
import { sequenceSchema, type Fence } from "@kattegat/protocol/sequence.ts";

export const DOCUMENTS = "documents/";
export const WATERMARK_KEY = "watermark.json";

/** What the name of an object tells: the document by the SHA-256 of its id, the write that made it. */
export interface ObjectName {
  readonly document: string;
  readonly fence: Fence;
  readonly residency: string;
  readonly digest: string;
}

/** Every object of one document, and no other, is under it. */
export function prefixOf(document: string): string {
  return `${DOCUMENTS}${document.slice(0, 2)}/${document}/`;
}

/** Every object of the documents whose keys begin with these digits. */
export function prefixOfDigits(digits: string): string {
  return digits.length <= 2 ? `${DOCUMENTS}${digits}` : `${DOCUMENTS}${digits.slice(0, 2)}/${digits}`;
}

export function keyOf({ document, epoch, version, residency, digest }: SealedRecord): string {
  return `${prefixOf(document)}${epoch}.${version}.${encodeURIComponent(residency)}.${digest}`;
}

const KEY = /^documents\/([0-9a-f]{2})\/(\1[0-9a-f]{62})\/([1-9]\d{0,9})\.(\d+)\.([^/]+)\.([0-9a-f]{64})$/;

const FOLDER = /^documents\/([0-9a-f]{2})\/(\1[0-9a-f]{62})\//;

/** The document whose objects are where this one is, whatever its name tells besides; null for none. */
export function documentOf(key: string): string | null {
  return FOLDER.exec(key)?.[2] ?? null;
}

/** Null for an object that is no document's. */
export function parseKey(key: string): ObjectName | null {
  const [, , document = "", epoch = "", version = "", residency = "", digest = ""] = KEY.exec(key) ?? [];
  if (!sequenceSchema.safeParse(version).success) return null;
  try {
    return {
      document,
      fence: { epoch: Number(epoch), sequence: version },
      residency: decodeURIComponent(residency),
      digest,
    };
  } catch {
    return null;
  }
}
