/** The state of the network: `GET /v1/network`. */
import { SITE_KINDS } from "@kattegat/config/network.ts";
import { z } from "zod";
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
  })
  .meta({ id: "SiteStatus" });

export const tierStateSchema = z
  .object({
    tier: tierNameSchema,
    documents: z.int(),
    passages: z.int(),
    capacity: z.int(),
    budget_ms: z.int(),
  })
  .meta({ id: "TierState" });

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
    statistics_version: z.string().nullable(),
  })
  .meta({ id: "NetworkStatus" });
export type NetworkStatus = z.infer<typeof networkStatusSchema>;
