/** The state of the network: `GET /v1/network`. */
import { SITE_KINDS } from "@kattegat/config/network.ts";
import { z } from "zod";
import { comparisonSchema } from "./digests.ts";
import { tierNameSchema } from "./search.ts";
import { sequenceSchema } from "./sequence.ts";

export const siteStatusSchema = z
  .object({
    id: z.string(),
    kind: z.enum(SITE_KINDS),
    country: z.string().nullable(),
    city: z.string().nullable(),
    tiers: z.array(tierNameSchema),
    health: z.enum(["ok", "lagging", "unavailable", "not_running"]),
    epoch: z.int().nullable(),
    watermark: sequenceSchema.nullable(),
    lag_ms: z.number().nullable(),
    lag_changes: z.int().nullable(),
    parked: z.int().nullable(),
    url: z.string().nullable(),
    comparison: comparisonSchema
      .extend({
        reported_at: z.string(),
        report_age_ms: z.int().meta({ description: "How long ago that was when this was answered." }),
      })
      .optional()
      .meta({
        description: "How its copies compare with what the log plans; left out before that is known.",
      }),
  })
  .meta({ id: "SiteStatus" });
export type SiteStatus = Readonly<z.infer<typeof siteStatusSchema>>;

export const tierStateSchema = z
  .object({
    tier: tierNameSchema,
    documents: z.int(),
    passages: z.int(),
    capacity: z.int(),
    budget_ms: z.int(),
  })
  .meta({ id: "TierState" });

/** How far a site's copies of the model to come are. */
export const nextSiteSchema = z
  .object({
    site: z.string(),
    tiers: z.array(tierNameSchema),
    watermark: sequenceSchema.nullable(),
    lag_changes: z.int().nullable(),
    ready: z.boolean(),
    reason: z.string().nullable().meta({ description: "Why searches may not ask for it yet." }),
  })
  .meta({ id: "NextSite" });

export const nextModelSchema = z
  .object({
    id: z.string(),
    dimensions: z.int(),
    embedded: z.int().meta({ description: "Passages that have a vector of it." }),
    passages: z.int(),
    whole_at: sequenceSchema
      .nullable()
      .meta({ description: "The sequence at which every older passage had one; null before." }),
    sites: z.array(nextSiteSchema),
    serves: z.boolean().meta({ description: "Whether a search of every tier here asks for it now." }),
  })
  .meta({ id: "NextModel" });
export type NextModel = z.infer<typeof nextModelSchema>;

export const networkStatusSchema = z
  .object({
    sequence: sequenceSchema,
    epoch: z.int(),
    sites: z.array(siteStatusSchema),
    tiers: z.array(tierStateSchema),
    classes: z.array(
      z.object({
        name: z.string(),
        store: z.array(z.string()),
        transit: z.array(z.string()),
        serve: z.array(z.string()),
        cache: z.array(z.string()),
        documents: z.int(),
      }),
    ),
    model: z.object({ id: z.string(), dimensions: z.int() }),
    next: nextModelSchema
      .optional()
      .meta({ description: "The model that is being prepared, when there is one." }),
    policy: z
      .object({
        policy: z
          .string()
          .meta({ description: "The digest of the network file's rules that the primary follows." }),
        checked: z.int().nullable().meta({
          description: "Documents compared with it so far; null when all of them are planned by it.",
        }),
        placed: z
          .int()
          .meta({ description: "Documents that the last change of the policy planned elsewhere." }),
      })
      .nullable()
      .meta({
        description:
          "How far the last change of the policy is carried out; null while the primary does not answer.",
      }),
    statistics_version: z.string().nullable(),
  })
  .meta({ id: "NetworkStatus" });
export type NetworkStatus = z.infer<typeof networkStatusSchema>;
