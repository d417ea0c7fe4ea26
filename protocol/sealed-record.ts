/** A document as an archive keeps it: sealed, under a name that tells nothing. */
import { z } from "zod";
import { sequenceSchema } from "./sequence.ts";

/** A value of AES-256-GCM begins with its format, 1, and has at least a nonce and a tag: what was left in clear is refused. */
const sealedSchema = z
  .string()
  .min(40)
  .regex(/^A[Q-Za-f][A-Za-z0-9+/]*={0,2}$/, "expected a sealed value in base64");

/**
 * In clear stands only what says nothing of the content. Whoever holds this needs the data key of the document to read it, which is
 * wrapped by a key that never leaves the primary's country: once that is destroyed, this is noise.
 */
export const sealedRecordSchema = z.strictObject({
  /** SHA-256 of the document's id, in hexadecimal. */
  document: z.string().regex(/^[0-9a-f]{64}$/),
  /** Of the write that made the content. */
  epoch: z.int().min(1),
  version: sequenceSchema,
  residency: z.string().min(1),
  /** HMAC of the content, in hexadecimal. */
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  /** The data key, wrapped by one version of its partition's key; `id` names it where that version is gone. */
  key: z.strictObject({
    partition: z.int().min(0),
    version: z.int().min(1),
    id: z.base64(),
    wrapped: sealedSchema,
  }),
  /** The id with all that stands neither in the head nor in the text. */
  record: sealedSchema,
  /** Title and metadata. */
  head: sealedSchema,
  /** The text. */
  body: sealedSchema,
  /** Texts of passages that are no part of the text. */
  own: z.array(z.strictObject({ ordinal: z.int().min(1), text: sealedSchema })),
  /** Vectors that the caller gave: no model makes them again. */
  vectors: z.array(z.strictObject({ ordinal: z.int().min(1), dense: sealedSchema })),
});
export type SealedRecord = Readonly<z.infer<typeof sealedRecordSchema>>;
