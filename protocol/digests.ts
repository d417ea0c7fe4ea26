/**
 * What a site and the system of record tell each other of their copies in digests: `POST /internal/digests/…` at the primary, a
 * regional, an edge.
 *
 * The primary tells what is planned for a target by its log, a site what its store holds; an archive's bucket tells nothing of itself,
 * so replication reads it. Ranges are of keys: the first bits of the SHA-256 of a document's id.
 */
import { z } from "zod";
import { base64Schema, decodeBase64, encodeBase64 } from "./base64.ts";
import { documentIdSchema } from "./documents.ts";
import { fenceSchema, sequenceSchema } from "./sequence.ts";
import { storableTextSchema } from "./storable-text.ts";

/** Bits of a key that tell its range, by level: a range is cut into sixteen on the next. */
export const DEPTHS = [0, 4, 8, 12, 16] as const;
export type Depth = (typeof DEPTHS)[number];

/** The children of 256 ranges that differ: 64 kB of digests. */
export const RANGES_MAX = 4_096;
/** Ranges that are told line by line at once: some thousand lines. */
export const LEAVES_MAX = 256;
/** Copies that a site reads anew at once; each is a document of a few passages with their vectors. */
export const SUSPECTS_MAX = 256;

/** Ranges of one level. */
export interface Ranges {
  readonly depth: Depth;
  readonly indexes: readonly number[];
}

const KEY_BYTES = 8;
const SUM_BYTES = 16;
/** In a line 64 bits are enough: that the range differs is known by 128. */
export const LINE_DIGEST_BITS = 64;
const LINE_BYTES = KEY_BYTES + LINE_DIGEST_BITS / 8;

const rangesShape = {
  depth: z.union(DEPTHS.map((depth) => z.literal(depth))),
  indexes: z.array(z.int().min(0).max(65_535)).max(RANGES_MAX),
};
/** A site has copies for each model; the primary plans them for each target. */
const siteShape = { model: z.string().min(1).max(128) };
const targetShape = { target: z.string().min(1).max(32) };

const isInside = ({ depth, indexes }: Ranges): boolean => indexes.every((index) => index < 1 << depth);
const OUTSIDE = { path: ["indexes"], error: "expected indexes of ranges that the depth has" };

export const rangesRequestSchema = z.strictObject({ ...siteShape, ...rangesShape }).refine(isInside, OUTSIDE);
export const plannedRangesRequestSchema = z
  .strictObject({ ...targetShape, ...rangesShape })
  .refine(isInside, OUTSIDE);

/** `/internal/digests/ranges`: the digests of the ranges in the order asked. */
export const rangesResponseSchema = z.object({
  /** At least so far are the copies: read before they were. */
  position: fenceSchema,
  documents: z.int(),
  digests: base64Schema,
});
export type RangesResponse = Readonly<z.infer<typeof rangesResponseSchema>>;

/** `/internal/digests/lines`: key with digest of each copy in the ranges. */
export const linesResponseSchema = z.object({ position: fenceSchema, lines: base64Schema });
export type LinesResponse = Readonly<z.infer<typeof linesResponseSchema>>;

const keySchema = z.string().regex(/^[0-9a-f]{16}$/, "expected a key: sixteen hexadecimal digits");

const placeShape = { object: z.string().min(1).max(256), row: z.int().min(0) };
/** Where a scrub goes on. */
const scrubPlaceSchema = z.strictObject(placeShape);
export type ScrubPlace = Readonly<z.infer<typeof scrubPlaceSchema>>;
/** Where the reading of one large copy goes on, with what was found of it. */
const copyPlaceSchema = z.strictObject({ ...placeShape, damaged: z.int().min(0) });
export type CopyPlace = Readonly<z.infer<typeof copyPlaceSchema>>;

/** Copies are asked for by key where only the other side knows the id. */
export const copiesRequestSchema = z.strictObject({
  ...siteShape,
  keys: z.array(keySchema).max(SUSPECTS_MAX),
  documents: z.array(z.string().min(1).max(1_024)).max(SUSPECTS_MAX),
  /** What the answer before said of the first of its `left`. */
  from: copyPlaceSchema.optional(),
});
export const plannedCopiesRequestSchema = z.strictObject({
  ...targetShape,
  keys: z.array(keySchema).max(SUSPECTS_MAX),
  /** Whether documents of the keys that are not planned there are told, too. */
  others: z.boolean().default(false),
});

/** A copy, or what says that it is a part of one, as the store has it now. */
const foundCopySchema = z.object({
  document_id: z.string(),
  version: z.string(),
  /** Null where no sound part tells it. */
  class: z.string().nullable(),
  /** Null where no part tells. */
  digest: z.string().nullable(),
  /** Sound ones, those that are not what was stored once; null where the store does not count them. */
  passages: z.int().nullable(),
  damaged: z.int(),
});
export type FoundCopy = Readonly<z.infer<typeof foundCopySchema>>;

/** `/internal/digests/copies` at a site: read from the store for this answer, as far as one answer may read. */
export const copiesResponseSchema = z.object({
  position: fenceSchema,
  copies: z.array(foundCopySchema),
  /** Keys of documents that are to be asked for again: this answer says nothing of them, or not all. */
  left: z.array(keySchema).default([]),
  /** Of a copy that is too large for one answer, which is the first of `left`: where to go on with it. */
  next: copyPlaceSchema.nullable().default(null),
});
export type CopiesResponse = Readonly<z.infer<typeof copiesResponseSchema>>;

/** Rows that are read in one round: a megabyte or two of texts and vectors. */
export const SCRUB_ROWS_MAX = 1_000;

/** `/internal/digests/scrub` at an edge, whose Worker does nothing on its own: reads on from a place, null for the beginning, as far as one answer may read. */
export const scrubRequestSchema = z.strictObject({
  ...siteShape,
  from: scrubPlaceSchema.nullable(),
  rows: z.int().min(1).max(SCRUB_ROWS_MAX),
});
export const scrubResponseSchema = z.object({
  /** Where to read on; null at the end. */
  next: scrubPlaceSchema.nullable(),
  rows: z.int(),
  /** Documents with a passage that is not as it was written. */
  suspects: z.array(z.string()),
});
export type ScrubResponse = Readonly<z.infer<typeof scrubResponseSchema>>;

const plannedCopySchema = z.object({
  key: keySchema,
  document_id: z.string(),
  version: sequenceSchema,
  class: z.string(),
  digest: z.string(),
  passages: z.int(),
  /** Of the last change about the document. */
  sequence: sequenceSchema,
});
export type PlannedCopy = Readonly<z.infer<typeof plannedCopySchema>>;

/** A document whose copy is not planned there, or that is deleted: an archive's list names documents by their keys alone. */
const otherDocumentSchema = z.object({ key: keySchema, document_id: z.string() });

/** `/internal/digests/copies` at the primary. */
export const plannedCopiesResponseSchema = z.object({
  position: fenceSchema,
  copies: z.array(plannedCopySchema),
  others: z.array(otherDocumentSchema).default([]),
});
export type PlannedCopiesResponse = Readonly<z.infer<typeof plannedCopiesResponseSchema>>;

/** What is wrong with a copy, the worst first. */
export const FAULT_KINDS = ["leak", "extra", "missing", "corrupted", "stale", "divergent"] as const;
const faultKindSchema = z.enum(FAULT_KINDS);
export type FaultKind = z.infer<typeof faultKindSchema>;

/** `POST /internal/digests/repairs` at the primary: heals by a change of the log for each document. */
export const repairsRequestSchema = z.strictObject({
  site: z.string().min(1).max(32),
  faults: z
    .array(
      z.strictObject({
        document_id: documentIdSchema,
        class: storableTextSchema.max(256),
        kind: faultKindSchema,
        detail: storableTextSchema.max(512),
      }),
    )
    .max(SUSPECTS_MAX),
});
export type RepairsRequest = z.infer<typeof repairsRequestSchema>;
/** The change that heals each of the documents; left out where there was nothing to write, or it failed. */
export const repairsResponseSchema = z.object({
  repairs: z.array(z.object({ document_id: z.string(), sequence: sequenceSchema })),
  failed: z.array(z.object({ document_id: z.string(), code: z.string() })).default([]),
});
export type RepairsResponse = Readonly<z.infer<typeof repairsResponseSchema>>;

/** `GET /internal/digests/repairs?limit=…&site=…` at the primary: the last repairs, the newest first. */
export const repairListSchema = z.object({
  repairs: z.array(
    z.object({
      sequence: sequenceSchema,
      site: z.string(),
      document_id: z.string(),
      class: z.string(),
      kind: faultKindSchema,
      detail: z.string(),
      at: z.string(),
    }),
  ),
});
export type RepairList = Readonly<z.infer<typeof repairListSchema>>;

/** How the comparison with one site goes, since replication started. */
export const comparisonSchema = z.object({
  state: z.enum(["waiting", "comparing", "equal", "different", "not_ready", "behind", "unavailable"]),
  /** Why it cannot be compared. */
  detail: z.string().nullable(),
  /** When the last round ended in which every range was compared. */
  compared_at: z.string().nullable(),
  rounds: z.int(),
  found: z.int(),
  repaired: z.int(),
  /** Differences that writes explain, in the last round. */
  pending: z.int(),
  /** Faults that a repair has not healed, or that the log cannot name. */
  unhealed: z.int(),
  /** Documents that differ and could not be read when they were last asked for. */
  unread: z.int().default(0),
  bytes: z.int().meta({ description: "Bodies of requests and answers, of both sides." }),
  scrubbed_bytes: z
    .int()
    .default(0)
    .meta({ description: "Lists and objects that replication has read of an archive, over and over." }),
});
export type Comparison = Readonly<z.infer<typeof comparisonSchema>>;

/** Before the first round. */
export const NOT_COMPARED: Comparison = {
  state: "waiting",
  detail: null,
  compared_at: null,
  rounds: 0,
  found: 0,
  repaired: 0,
  pending: 0,
  unhealed: 0,
  unread: 0,
  bytes: 0,
  scrubbed_bytes: 0,
};

/** `POST /internal/digests/report` at the primary. */
export const comparisonReportSchema = z.strictObject({
  site: z.string().min(1).max(32),
  comparison: comparisonSchema,
});

export function encodeKey(key: bigint): string {
  return key.toString(16).padStart(16, "0");
}

export function decodeKey(text: string): bigint {
  return BigInt(`0x${text}`);
}

export function encodeDigests(digests: readonly bigint[]): string {
  const view = new DataView(new ArrayBuffer(digests.length * SUM_BYTES));
  for (const [index, digest] of digests.entries()) {
    view.setBigUint64(index * SUM_BYTES, digest >> 64n);
    view.setBigUint64(index * SUM_BYTES + 8, BigInt.asUintN(64, digest));
  }
  return encodeBase64(new Uint8Array(view.buffer));
}

/** @throws {RangeError} when the bytes are no whole number of digests. */
export function decodeDigests(text: string): bigint[] {
  const view = viewOf(text, SUM_BYTES);
  return Array.from({ length: view.byteLength / SUM_BYTES }, (_, index) => {
    const high = view.getBigUint64(index * SUM_BYTES);
    return (high << 64n) | view.getBigUint64(index * SUM_BYTES + 8);
  });
}

/** What a line tells of a copy. */
export interface DigestLine {
  readonly key: bigint;
  readonly digest: bigint;
}

export function encodeLines(lines: readonly DigestLine[]): string {
  const view = new DataView(new ArrayBuffer(lines.length * LINE_BYTES));
  for (const [index, { key, digest }] of lines.entries()) {
    view.setBigUint64(index * LINE_BYTES, key);
    view.setBigUint64(index * LINE_BYTES + KEY_BYTES, BigInt.asUintN(LINE_DIGEST_BITS, digest));
  }
  return encodeBase64(new Uint8Array(view.buffer));
}

/** The digests are cut to the 64 bits that a line has. @throws {RangeError} when the bytes are no whole number of lines. */
export function decodeLines(text: string): ReadonlyMap<bigint, bigint> {
  const view = viewOf(text, LINE_BYTES);
  const lines = new Map<bigint, bigint>();
  for (let at = 0; at < view.byteLength; at += LINE_BYTES)
    lines.set(view.getBigUint64(at), view.getBigUint64(at + KEY_BYTES));
  return lines;
}

function viewOf(text: string, unitBytes: number): DataView {
  const bytes = decodeBase64(text);
  if (bytes.byteLength % unitBytes !== 0)
    throw new RangeError(`expected a multiple of ${unitBytes} bytes, got ${bytes.byteLength}`);
  return new DataView(bytes.buffer);
}
