/** A search as the edge asks it of a site: `POST /internal/search`. */
import { z } from "zod";
import { base64Schema } from "./base64.ts";
import { filterSchema } from "./filter.ts";
import { GROUPINGS, collectionSchema, tierNameSchema } from "./search.ts";
import { sequenceSchema } from "./sequence.ts";

/** Passages asked of a site by id in one call: more than one answer's window. */
export const HYDRATE_MAX = 1_000;

/**
 * The query arrives as vectors that the edge made once, so no site analyses text and
 * one ranking never mixes two versions of the term statistics.
 */
export const siteSearchRequestSchema = z.strictObject({
  dense: base64Schema
    .nullable()
    .meta({ description: "Float32 vector of unit length, or null when the mode has no dense list." }),
  lexical: z.strictObject({ indices: base64Schema, values: base64Schema }).nullable(),
  model: z.string().meta({
    description: "The embedding of `dense`, which also says which of a site's copies are searched.",
  }),
  filter: filterSchema.nullable(),
  collection: collectionSchema,
  classes: z
    .array(z.string())
    .meta({ description: "Residency classes that this caller may be served through this zone." }),
  zone: z
    .string()
    .meta({ description: "The edge zone that asks; the site checks the classes against it again." }),
  tiers: z.array(tierNameSchema).min(1),
  group_by: z.enum(GROUPINGS),
  candidates: z.int().min(1).max(1_000),
  /** The first so many candidates of each list come with title and text, which saves a second round. */
  hydrated: z.int().min(0).max(1_000),
  min_sequence: sequenceSchema.nullable(),
  deadline_ms: z.int().min(1).max(10_000),
});
export type SiteSearchRequest = z.infer<typeof siteSearchRequestSchema>;

export const passageContentSchema = z.object({
  title: z.string(),
  text: z.string(),
  lang: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
});
export type PassageContent = z.infer<typeof passageContentSchema>;

export const candidateSchema = z.object({
  document_id: z.string(),
  ordinal: z.int().min(1),
  score: z.number(),
  tier: tierNameSchema,
  version: sequenceSchema,
  residency: z.string(),
  content: passageContentSchema.optional(),
});
/** One passage in one list of one site; lists are ordered by score, document id, ordinal. */
export type Candidate = z.infer<typeof candidateSchema>;

export const siteTierSchema = z.object({
  tier: tierNameSchema,
  status: z.enum(["ok", "stale", "unavailable"]),
  watermark: sequenceSchema,
  lag_ms: z.number().nullable(),
});

export const siteSearchResponseSchema = z.object({
  site: z.string(),
  model: z.string().nullable().meta({
    description:
      "The model whose copies were searched; null when the site does not hold those asked for whole.",
  }),
  ready: z.array(z.string()).meta({ description: "Models that a search may name here." }),
  epoch: z.int(),
  tiers: z.array(siteTierSchema),
  dense: z.array(candidateSchema),
  lexical: z.array(candidateSchema),
});
export type SiteSearchResponse = z.infer<typeof siteSearchResponseSchema>;

/** `POST /internal/passages`: the contents of final hits that came without. */
export const hydrateRequestSchema = z.strictObject({
  model: z.string().optional().meta({
    description: "The model of the copies that were searched; left out, the one that serves.",
  }),
  zone: z.string(),
  classes: z.array(z.string()),
  passages: z.array(z.strictObject({ document_id: z.string(), ordinal: z.int().min(1) })).max(HYDRATE_MAX),
});
export type HydrateRequest = z.infer<typeof hydrateRequestSchema>;

export const hydrateResponseSchema = z.object({
  passages: z
    .array(passageContentSchema.nullable())
    .meta({ description: "In the order asked; null where the passage is gone or not permitted." }),
});
export type HydrateResponse = z.infer<typeof hydrateResponseSchema>;
