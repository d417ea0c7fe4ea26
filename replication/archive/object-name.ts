/** The names of an archive's objects: all that an audit needs is in them. */
import { hash } from "node:crypto";
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

export function documentName(documentId: string): string {
  return hash("sha256", documentId, "hex");
}

/** Every object of one document, and no other, is under it. */
export function prefixOf(document: string): string {
  return `${DOCUMENTS}${document.slice(0, 2)}/${document}/`;
}

export function keyOf({ document, epoch, version, residency, digest }: SealedRecord): string {
  return `${prefixOf(document)}${epoch}.${version}.${encodeURIComponent(residency)}.${digest}`;
}

const KEY = /^documents\/([0-9a-f]{2})\/(\1[0-9a-f]{62})\/([1-9]\d{0,9})\.(\d+)\.([^/]+)\.([0-9a-f]{64})$/;

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
