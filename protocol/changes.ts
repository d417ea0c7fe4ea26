/** The change feed: `GET /internal/changes?after=…&limit=…&epoch=…&wait_ms=…&target=…&model=…`, NDJSON, one `FeedLine` a line. */
import { z } from "zod";
import { base64Schema } from "./base64.ts";
import { sealedRecordSchema } from "./sealed-record.ts";
import { collectionSchema, tierNameSchema } from "./search.ts";
import { fenceSchema, sequenceSchema } from "./sequence.ts";

/** Changes in one answer of the feed and in one batch to a target: about 2 MB of typical law text. */
export const BATCH_CHANGES_MAX = 512;
/** Passages in one batch; one document may exceed it alone. */
export const BATCH_PASSAGES_MAX = 4_000;
/** How long the feed holds an empty answer open. */
export const FEED_WAIT_MS_MAX = 20_000;

export const passageRecordSchema = z.object({
  ordinal: z.int().min(1),
  text: z.string(),
  dense: base64Schema,
  sparse: z.object({ indices: base64Schema, values: base64Schema }),
});
/** One passage with the vectors that every tier ranks by. */
export type PassageRecord = z.infer<typeof passageRecordSchema>;

export const documentRecordSchema = z.object({
  id: z.string(),
  version: sequenceSchema,
  collection: collectionSchema,
  title: z.string(),
  lang: z.string().nullable(),
  residency: z.string(),
  tier: tierNameSchema,
  published_at: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
  digest: z.string().meta({ description: "SHA-256 of the content, in hexadecimal." }),
  passages: z.array(passageRecordSchema),
});
export type DocumentRecord = z.infer<typeof documentRecordSchema>;

const changeBase = {
  epoch: z.int(),
  sequence: sequenceSchema,
  committed_at: z.string(),
  document_id: z.string(),
};

/**
 * What one change means for the target that asked. The primary maps by policy (`placement`), and the
 * target checks again with its own network file.
 * - `put`: hold this document as it is here.
 * - `withdraw`: hold no copy (deleted, re-tiered away, or no longer permitted).
 * - `skip`: nothing to do here; the sequence still counts for the watermark, and no id is told.
 */
export const changeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("put"), ...changeBase, document: documentRecordSchema }),
  z.object({
    kind: z.literal("withdraw"),
    ...changeBase,
    reason: z.enum(["deleted", "re-tiered", "reclassified"]),
  }),
  z.object({ kind: z.literal("skip"), epoch: z.int(), sequence: sequenceSchema, committed_at: z.string() }),
]);
export type Change = z.infer<typeof changeSchema>;

/** An archive's `put`: hold this document, which neither the archive nor who brings it can read; the feed, beside the keys, opens its head. */
const sealedPutSchema = z.object({
  kind: z.literal("put-sealed"),
  ...changeBase,
  /** Whether the archive may have an earlier copy, as far as the log knows. */
  replaces: z.boolean(),
  sealed: sealedRecordSchema,
});

const feedChangeSchema = z.discriminatedUnion("kind", [...changeSchema.options, sealedPutSchema]);
/** A change as the feed tells it: to an archive sealed, to every other target in the open. */
export type FeedChange = z.infer<typeof feedChangeSchema>;

/** The last line of every answer: where the log's head is, and when it was there. */
export const feedHeadSchema = z.object({
  kind: z.literal("head"),
  epoch: z.int(),
  sequence: sequenceSchema,
  at: z.string(),
  /** The embedding of every vector in the changes. */
  model: z.string(),
  /** Of a model that is being prepared: from here on it has a vector of every passage. Null while some have none. */
  whole_at: sequenceSchema.nullable().optional(),
  /** All models that the primary holds vectors of. */
  models: z.array(z.string()).optional(),
  statistics_version: z.string().nullable(),
});
export type FeedHead = z.infer<typeof feedHeadSchema>;

export const feedLineSchema = z.union([feedChangeSchema, feedHeadSchema]);

/** `POST /internal/apply` at a regional: a batch in order; the watermark moves to `watermark` together with the data. */
export const applyRequestSchema = z.strictObject({
  changes: z.array(changeSchema).max(BATCH_CHANGES_MAX),
  /** How far the sender knows the site to be: one that is not so far has lost what it had, and takes nothing (`conflict`). */
  after: fenceSchema,
  watermark: fenceSchema,
  watermark_at: z.string(),
  head: z.strictObject({
    sequence: sequenceSchema,
    at: z.string(),
    model: z.string(),
    whole_at: sequenceSchema.nullable().optional(),
  }),
});
export type ApplyRequest = z.infer<typeof applyRequestSchema>;

/**
 * A put that the target refuses for good is named, so that replication parks it and goes on. A withdraw is never named:
 * holding nothing is always possible, and one that cannot be applied now is an error, so that the watermark stays before it (I9).
 */
export const applyResponseSchema = z.object({
  watermark: fenceSchema,
  refused: z.array(z.object({ sequence: sequenceSchema, code: z.string(), detail: z.string() })),
});
export type ApplyResponse = z.infer<typeof applyResponseSchema>;

/** `GET /internal/watermark?model=…` at a regional or an edge; without a model, of the one that serves. */
export const watermarkSchema = z.object({
  site: z.string(),
  watermark: fenceSchema,
  watermark_at: z.string().nullable(),
  /** Nothing of what was withdrawn up to here is left on the site's disks; null while the site does not know. */
  removed: fenceSchema.nullable().optional(),
});
export type Watermark = z.infer<typeof watermarkSchema>;

/** Refused changes that one confirmation names: those of some batches in which every change was refused. */
export const CONFIRM_REFUSED_MAX = 4_096;

export const refusedChangeSchema = z.strictObject({ ...fenceSchema.shape, code: z.string().max(64) });
/** A put that the target refused for good; by its fence, since another reign issues the sequences of a lost one again. */
export type RefusedChange = Readonly<z.infer<typeof refusedChangeSchema>>;

/** `POST /internal/confirm` at the primary: replication tells how far a target has come. */
export const confirmRequestSchema = z.strictObject({
  site: z.string(),
  /** Of the copies that are this far; left out, of the model that serves. */
  model: z.string().optional(),
  watermark: fenceSchema,
  /** Nothing of what was withdrawn up to here is left on the target's disks; left out while the target does not know. */
  removed: fenceSchema.optional(),
  /** What the target has refused since the confirmation before: it has no copy of these, however far its watermark is. */
  refused: z.array(refusedChangeSchema).max(CONFIRM_REFUSED_MAX).optional(),
  lag_ms: z.number(),
  lag_changes: z.int(),
  parked: z.int(),
  healthy: z.boolean(),
});
export type ConfirmRequest = z.infer<typeof confirmRequestSchema>;

/** `POST /internal/editions:retire` at a regional: the models of which it may still hold copies. */
export const retireRequestSchema = z.strictObject({ models: z.array(z.string()).min(1).max(8) });

/** Models whose copies the site has dropped. */
export const retireResponseSchema = z.object({ retired: z.array(z.string()) });
