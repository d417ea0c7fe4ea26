/** Documents on the public wire. */
import { z } from "zod";
import { collectionSchema, tierNameSchema } from "./search.ts";
import { sequenceSchema } from "./sequence.ts";

/** The contract's limits of one document. */
export const DOCUMENT_LIMITS = {
  textBytesMax: 4 * 1_024 * 1_024,
  metadataBytesMax: 32 * 1_024,
  titleCharactersMax: 1_000,
  /** A 4 MiB text splits into fewer passages than this. */
  passagesMax: 20_000,
  /** Text and metadata escaped as JSON, with room for vectors given by the caller. */
  bodyBytesMax: 16 * 1_024 * 1_024,
  /** One line of a batch is one document. */
  batchLineBytesMax: 16 * 1_024 * 1_024,
} as const;

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3;
  }
  return bytes;
}

const wellFormed = (text: string): boolean => text.isWellFormed() && !text.includes("\u0000");
const textSchema = z
  .string()
  .refine(wellFormed, "expected well-formed Unicode without NUL")
  .refine((text) => utf8Bytes(text) <= DOCUMENT_LIMITS.textBytesMax, "expected at most 4 MiB of UTF-8");

export const documentIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,256}$/, "expected 1 to 256 of A–Z a–z 0–9 . _ ~ -")
  .refine((id) => id !== "." && id !== "..", "expected an id that is not a path step")
  .meta({ id: "DocumentId" });

export const metadataSchema = z
  .record(z.string(), z.json())
  .refine((metadata) => wellFormed(JSON.stringify(metadata)), "expected well-formed Unicode without NUL")
  .refine((metadata) => !JSON.stringify(metadata).includes("\\u0000"), "expected text without NUL")
  .refine(
    (metadata) => utf8Bytes(JSON.stringify(metadata)) <= DOCUMENT_LIMITS.metadataBytesMax,
    "expected at most 32 KiB",
  );

export const passageInputSchema = z.strictObject({
  text: textSchema.min(1),
  vector: z.array(z.number()).min(1).nullish(),
});

const dayOrTime = z.union([z.iso.datetime({ offset: true }), z.iso.date()]);
const publishedAtSchema = z
  .string()
  .refine(
    (text) => dayOrTime.safeParse(text).success,
    "expected a day such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z",
  )
  .meta({ description: "A day or a time (RFC 3339)." });

export const documentInputSchema = z
  .strictObject({
    title: z
      .string()
      .min(1)
      .max(DOCUMENT_LIMITS.titleCharactersMax)
      .refine(wellFormed, "expected well-formed Unicode without NUL"),
    text: textSchema.optional(),
    collection: collectionSchema.default("default"),
    lang: z
      .string()
      .regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/, "expected a BCP 47 tag such as da or en-GB")
      .nullish(),
    residency: z.string().min(1).max(64),
    metadata: metadataSchema.default({}),
    importance: z.number().min(0).max(1).optional(),
    published_at: publishedAtSchema.nullish(),
    tier: tierNameSchema.nullish(),
    passages: z.array(passageInputSchema).min(1).max(DOCUMENT_LIMITS.passagesMax).nullish(),
  })
  .refine((document) => document.text !== undefined || (document.passages ?? []).length > 0, {
    error: "expected `text` or `passages`; both are missing",
    path: ["text"],
  })
  .meta({ id: "DocumentInput" });

/** What a caller stores; `text` may be left out when `passages` carry it. */
export type DocumentInput = z.infer<typeof documentInputSchema>;

export const batchLineSchema = documentInputSchema
  .safeExtend({ id: documentIdSchema })
  .meta({ id: "BatchLine" });

export const writeResultSchema = z
  .object({
    id: documentIdSchema,
    version: sequenceSchema,
    sequence: sequenceSchema,
    tier: tierNameSchema,
    residency: z.string(),
    passages: z.int(),
    planned_sites: z.array(z.string()),
  })
  .meta({ id: "WriteResult" });
export type WriteResult = z.infer<typeof writeResultSchema>;

export const batchResultSchema = z
  .object({
    line: z.int().min(1),
    id: z.string().nullable(),
    status: z.int().meta({ description: "The HTTP status that the line alone would have had." }),
    sequence: sequenceSchema.optional(),
    error: z
      .object({
        code: z.string(),
        detail: z.string(),
        errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
      })
      .optional(),
  })
  .meta({ id: "BatchResult" });
export type BatchResult = z.infer<typeof batchResultSchema>;

export const documentSchema = z
  .object({
    id: documentIdSchema,
    version: sequenceSchema,
    sequence: sequenceSchema,
    title: z.string(),
    text: z.string(),
    collection: collectionSchema,
    lang: z.string().nullable(),
    residency: z.string(),
    metadata: z.record(z.string(), z.unknown()),
    importance: z.number(),
    published_at: z.string().nullable(),
    tier: tierNameSchema,
    pinned_tier: tierNameSchema.nullable(),
    passages: z.int(),
    planned_sites: z.array(z.string()),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: "Document" });
export type Document = z.infer<typeof documentSchema>;

export const deleteResultSchema = z
  .object({ receipt: z.string(), sequence: sequenceSchema })
  .meta({ id: "DeleteResult" });
export type DeleteResult = z.infer<typeof deleteResultSchema>;

export const receiptIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,128}$/, "expected the id of a receipt as `DELETE` gave it");

export const receiptSchema = z
  .object({
    document_id: documentIdSchema,
    requested_at: z.string(),
    hidden_at: z
      .string()
      .nullable()
      .meta({ description: "When every site had hidden the document: nobody could find it any more." }),
    completed_at: z.string().nullable().meta({
      description:
        "When every site had removed the document: no byte of it could be read from any site's disks.",
    }),
    sites: z.array(
      z.object({
        site: z.string(),
        confirmed_at: z.string().nullable().meta({ description: "When the site had hidden it." }),
        removed_at: z
          .string()
          .nullable()
          .meta({ description: "When nothing of it could be read from the site's disks." }),
        means: z.string().nullable().meta({ description: "How the site removed it." }),
      }),
    ),
  })
  .meta({ id: "Receipt", description: "The record that an erasure has reached every site." });
export type Receipt = z.infer<typeof receiptSchema>;
