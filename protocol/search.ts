/** The public search request with its answer. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import { z } from "zod";
import { filterSchema } from "./filter.ts";
import { sequenceSchema } from "./sequence.ts";

export const tierNameSchema = z.enum(TIER_NAMES).meta({ id: "TierName" });

export const MODES = ["hybrid", "dense", "lexical"] as const;
export type Mode = (typeof MODES)[number];

export const GROUPINGS = ["document", "passage"] as const;
export type Grouping = (typeof GROUPINGS)[number];

/** The contract's limits of one search. */
export const SEARCH_LIMITS = {
  limitMax: 100,
  windowMax: 1_000,
  timeoutMsMin: 50,
  timeoutMsMax: 10_000,
  queryCharactersMax: 2_000,
  bodyBytesMax: 256 * 1_024,
  vectorDimensionsMax: 4_096,
} as const;

export const collectionSchema = z
  .string()
  .regex(/^[A-Za-z0-9._-]{1,64}$/, "expected 1 to 64 of A–Z a–z 0–9 . _ -")
  .meta({ id: "Collection" });

export const searchRequestSchema = z
  .strictObject({
    query: z.string().trim().min(1).max(SEARCH_LIMITS.queryCharactersMax).nullish().default(null),
    vector: z.array(z.number()).min(1).max(SEARCH_LIMITS.vectorDimensionsMax).nullish().default(null),
    mode: z.enum(MODES).default("hybrid"),
    collection: collectionSchema.default("default"),
    filter: filterSchema.nullish().default(null),
    limit: z.int().min(1).max(SEARCH_LIMITS.limitMax).default(10),
    offset: z.int().min(0).max(SEARCH_LIMITS.windowMax).default(0),
    tiers: z
      .array(tierNameSchema)
      .min(1)
      .max(TIER_NAMES.length)
      .default([...TIER_NAMES]),
    group_by: z.enum(GROUPINGS).default("document"),
    min_sequence: sequenceSchema.nullish().default(null),
    timeout_ms: z.int().min(SEARCH_LIMITS.timeoutMsMin).max(SEARCH_LIMITS.timeoutMsMax).default(2_000),
    explain: z.boolean().default(false),
  })
  .refine((request) => request.query !== null || request.vector !== null, {
    error: "expected `query` or `vector`; both are missing",
    path: ["query"],
  })
  .refine((request) => request.offset + request.limit <= SEARCH_LIMITS.windowMax, {
    error: `expected offset + limit ≤ ${SEARCH_LIMITS.windowMax}`,
    path: ["offset"],
  })
  .refine((request) => request.mode !== "lexical" || request.query !== null, {
    error: "expected `query` in the lexical mode: a vector has no words",
    path: ["query"],
  })
  .meta({ id: "SearchRequest" });

export type SearchRequest = z.infer<typeof searchRequestSchema>;

export const TIER_STATUSES = ["ok", "stale", "timeout", "unavailable", "not_permitted", "not_asked"] as const;
export type TierStatus = (typeof TIER_STATUSES)[number];

export const tierReportSchema = z
  .object({
    tier: tierNameSchema,
    site: z.string(),
    status: z.enum(TIER_STATUSES),
    took_ms: z.number(),
    cache: z.enum(["hit", "miss", "none"]),
    watermark: sequenceSchema.nullable(),
    lag_ms: z.number().nullable(),
    reason: z.string().optional(),
  })
  .meta({ id: "TierReport", description: "How one tier at one site took part in an answer." });

export type TierReport = z.infer<typeof tierReportSchema>;

export const hitExplanationSchema = z
  .object({
    dense_rank: z.int().nullable().meta({ description: "Place in the list by vector, from 1." }),
    lexical_rank: z.int().nullable().meta({ description: "Place in the list by words, from 1." }),
    dense_passage_id: z.string().nullable().meta({
      description:
        "The passage that has `dense_rank`: the document's best by vector, which may be another than the one shown.",
    }),
    lexical_passage_id: z.string().nullable().meta({
      description:
        "The passage that has `lexical_rank`: the document's best by words, which may be another than the one shown.",
    }),
    arithmetic: z.string(),
    model: z.string().nullable().meta({
      description: "The embedding whose vectors were compared; null when the ranking is by words alone.",
    }),
    matched_terms: z.array(z.string()),
  })
  .meta({ id: "HitExplanation" });

export const hitSchema = z
  .object({
    document_id: z.string(),
    passage_id: z.string().meta({
      description: "The passage shown: with `group_by: document` the one of the document's better rank.",
    }),
    score: z.number().meta({ description: "What the ranking is sorted by." }),
    dense_score: z.number().nullable().meta({
      description:
        "Cosine of the passage shown; null when it is not its document's best by vector, or in no such list.",
    }),
    lexical_score: z.number().nullable().meta({
      description:
        "BM25 of the passage shown; null when it is not its document's best by words, or in no such list.",
    }),
    tier: tierNameSchema,
    site: z.string(),
    residency: z.string(),
    version: sequenceSchema,
    title: z.string(),
    snippet: z.string(),
    highlights: z.array(z.tuple([z.int(), z.int()])).meta({
      description: "Matched words as [start, end) in UTF-16 units of the snippet.",
    }),
    metadata: z.record(z.string(), z.unknown()),
    explain: hitExplanationSchema.optional(),
  })
  .meta({ id: "Hit" });

export type Hit = z.infer<typeof hitSchema>;

export const searchResponseSchema = z
  .object({
    hits: z.array(hitSchema),
    partial: z.boolean().meta({ description: "True when a site that was asked did not answer in full." }),
    tiers: z.array(tierReportSchema),
    not_served: z
      .array(z.string())
      .meta({ description: "Residency classes withheld from this caller at this hostname." }),
    sequence: sequenceSchema,
    took_ms: z.number(),
  })
  .meta({ id: "SearchResponse" });

export type SearchResponse = z.infer<typeof searchResponseSchema>;

/** How many candidates each site gives for each list; a fixed function of the request, so that every site cuts at the same depth. */
export function candidateDepth(request: { readonly offset: number; readonly limit: number }): number {
  return Math.min(1_000, Math.max(100, 10 * (request.offset + request.limit)));
}
