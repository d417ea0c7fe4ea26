/** What a site says that it holds: `GET /internal/holdings` for the operator, NDJSON, one `HoldingLine` a line. */
import { z } from "zod";
import { tierNameSchema } from "./search.ts";
import { sequenceSchema } from "./sequence.ts";
import { storableTextSchema } from "./storable-text.ts";

/** A store of the site as it is read: how far its copies are, at least. */
const storeSchema = z.object({
  kind: z.literal("store"),
  /** `memory`, `disk`, the name of a collection, of a manifest. */
  store: z.string(),
  model: z.string(),
  epoch: z.int(),
  sequence: sequenceSchema,
  /** Of a model that is being prepared: from here on its copies are whole. */
  whole_at: sequenceSchema.nullable(),
});

/**
 * A copy, or a part of one: lines of the same document, store and version belong together.
 *
 * It is told as the store has it. A point that something else has written may say anything.
 */
const copySchema = z.object({
  kind: z.literal("copy"),
  store: z.string(),
  document_id: z.string(),
  version: z.string(),
  class: z.string(),
  /** Null where this part does not tell. */
  epoch: z.int().nullable(),
  digest: z.string().nullable(),
  /** Passages in this line; null where the store does not count them. */
  passages: z.int().nullable(),
  /** Rests there, but no search finds it. */
  hidden: z.boolean(),
});

/** What the system of record says of a document. */
const recordSchema = z.object({
  kind: z.literal("record"),
  document_id: z.string(),
  version: sequenceSchema,
  epoch: z.int(),
  /** Of the last change, and of the last that carried the document to where it is planned. */
  sequence: sequenceSchema,
  carried: sequenceSchema,
  class: z.string(),
  tier: tierNameSchema,
  moving_from: tierNameSchema.nullable(),
  held: z.array(z.string()),
  digest: z.string(),
  passages: z.int(),
});

/** A document that was deleted, with the last change about it. */
const goneSchema = z.object({ kind: z.literal("gone"), document_id: z.string(), sequence: sequenceSchema });

/** What the ledger records of a document, by the SHA-256 of its id. */
const recordedSchema = z.object({
  kind: z.literal("recorded"),
  document: z.string(),
  copies: z.array(z.object({ site: z.string(), state: z.enum(["planned", "applied"]) })),
});

/** How far the ledger has recorded which of a site's copies are gone. */
const confirmedSchema = z.object({
  kind: z.literal("confirmed"),
  site: z.string(),
  epoch: z.int(),
  sequence: sequenceSchema,
});

/** Something in a bucket. */
const objectSchema = z.object({
  kind: z.literal("object"),
  key: z.string(),
  bytes: z.int(),
  uploaded_at: z.string(),
  /** What names it: a generation, a list of garbage, the network file; nothing. */
  named: z.enum(["manifest", "garbage", "network", "nothing"]),
});

/** An answer without it was cut short. */
const endSchema = z.object({ kind: z.literal("end") });

export const holdingLineSchema = z.discriminatedUnion("kind", [
  storeSchema,
  copySchema,
  recordSchema,
  goneSchema,
  recordedSchema,
  confirmedSchema,
  objectSchema,
  endSchema,
]);
export type HoldingLine = Readonly<z.infer<typeof holdingLineSchema>>;
export type StoreLine = Readonly<z.infer<typeof storeSchema>>;
export type CopyLine = Readonly<z.infer<typeof copySchema>>;
export type RecordLine = Readonly<z.infer<typeof recordSchema>>;
export type RecordedLine = Readonly<z.infer<typeof recordedSchema>>;
export type ObjectLine = Readonly<z.infer<typeof objectSchema>>;

/** Documents in one question, and in one order of repairs: a group or two of the primary's writer. */
export const ASKED_DOCUMENTS_MAX = 500;

/** `POST /internal/holdings:changed` at the primary: the last change about each document. */
export const changedRequestSchema = z.strictObject({
  documents: z.array(storableTextSchema.max(1_024)).max(ASKED_DOCUMENTS_MAX),
});
export const changedResponseSchema = z.object({
  changes: z.array(z.object({ document_id: z.string(), epoch: z.int(), sequence: sequenceSchema })),
});

/** `POST /internal/holdings:repair` at the primary: plans the copies of the documents anew, by changes of the log. */
export const repairRequestSchema = z.strictObject({
  documents: z
    .array(
      z.strictObject({
        document_id: storableTextSchema.min(1).max(1_024),
        /** For a document that is gone: what its copies say. */
        class: storableTextSchema.max(256),
        /** Sites that have to withdraw it unless it is planned there. */
        from: z.array(z.string()),
      }),
    )
    .max(ASKED_DOCUMENTS_MAX),
});
export const repairResponseSchema = z.object({
  /** Of the last change that was written. */
  sequence: sequenceSchema,
  written: z.int(),
});
