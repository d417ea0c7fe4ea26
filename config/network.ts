/** Declares the network file: its shape, its types, its documentation. */
import { z } from "zod";

import { countryCode, countryGroupSchema, groupName, text } from "./country-group.ts";
import { limits } from "./limits.ts";
import { operatorSchema } from "./operator.ts";
import { ZONES, residencyClassSchema } from "./residency-class.ts";
import { collectionName, optionalSections } from "./sections.ts";

export const TIER_NAMES = ["ultra-hot", "hot", "warm", "cold"] as const;
export type TierName = (typeof TIER_NAMES)[number];

export const SITE_KINDS = ["primary", "standby", "regional", "edge", "archive"] as const;
export type SiteKind = (typeof SITE_KINDS)[number];

/** `GET /v1/network` lists them all in one answer; a search asks each of them. */
const SITES_MAX = 64;
/** Each request is checked against every class. */
const CLASSES_MAX = 64;
/** Ten times the largest tier planned; above it a flat scan no longer meets any budget. */
const CAPACITY_MAX = 10_000_000;
/** `timeout_ms` of a search may not exceed ten seconds, so no tier may plan for longer. */
const BUDGET_MS_MAX = 10_000;
/** The engine's scan and the cold index keep a vector's length in 16 bits. */
const DIMENSIONS_MAX = 4096;

export const siteIdSchema = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/)
  .meta({
    description: "a site id: 1 to 32 lower-case letters, digits or hyphens, a letter first",
    examples: ["eu-fra"],
  });

const hostname = z
  .string()
  .max(253)
  .regex(/^(?!-)[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/)
  .meta({
    description: "a public host name in lower case, without scheme or port",
    examples: ["search.example.dk"],
  });

const location = z
  .strictObject({
    latitude: z
      .number()
      .min(-90)
      .max(90)
      .meta({ description: "degrees north, -90 to 90", examples: [55.68] }),
    longitude: z
      .number()
      .min(-180)
      .max(180)
      .meta({ description: "degrees east, -180 to 180", examples: [12.57] }),
  })
  .meta({
    description: "where the site stands, in degrees",
    examples: [{ latitude: 55.68, longitude: 12.57 }],
  });

const bucket = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/)
      .meta({
        description: "a bucket name: 3 to 63 lower-case letters, digits or hyphens",
        examples: ["kattegat-cold-eu"],
      }),
    jurisdiction: z
      .literal("eu")
      .optional()
      .meta({
        description: "R2's jurisdiction; it cannot be changed after the bucket exists",
        examples: ["eu"],
      }),
  })
  .meta({
    description: "the object store of this site",
    examples: [{ name: "kattegat-cold-eu", jurisdiction: "eu" }],
  });

const qdrant = z
  .strictObject({
    replication_factor: z
      .int()
      .min(1)
      .max(16)
      .meta({ description: "copies of each shard, 1 to 16", examples: [2] }),
    write_consistency_factor: z
      .int()
      .min(1)
      .max(16)
      .meta({
        description: "copies that confirm a write before it counts, at most replication_factor",
        examples: [2],
      }),
  })
  .meta({
    description: "how the Qdrant cluster of this site keeps its points",
    examples: [{ replication_factor: 2, write_consistency_factor: 2 }],
  });

export const siteSchema = z
  .strictObject({
    id: siteIdSchema,
    kind: z.enum(SITE_KINDS).meta({ description: "what the site does", examples: ["regional"] }),
    country: countryCode.optional(),
    city: z
      .string()
      .min(1)
      .max(80)
      .optional()
      .meta({ description: "the city, for people", examples: ["Frankfurt"] }),
    location: location.optional(),
    running: z.boolean().meta({ description: "false: declared, takes no copies yet", examples: [true] }),
    retiring: z
      .boolean()
      .optional()
      .meta({
        description: "true: gives its copies up, so that it can be taken out of the file",
        examples: [true],
      }),
    zone: z
      .enum(ZONES)
      .optional()
      .meta({ description: "the Cloudflare residency zone of an edge site", examples: ["eu"] }),
    hostname: hostname.optional(),
    bucket: bucket.optional(),
    qdrant: qdrant.optional(),
    operator: operatorSchema.optional(),
  })
  .meta({ description: "one deployment in one place" });

/** Each tier has examples of its own: hot's capacity would be bad advice for ultra-hot. */
function tier(example: {
  readonly capacity: number;
  readonly deadlineMs: number;
  readonly budgetMs: number;
}) {
  return z.strictObject({
    capacity: z
      .int()
      .min(1)
      .max(CAPACITY_MAX)
      .meta({
        description: `documents that the tier takes, 1 to ${CAPACITY_MAX}`,
        examples: [example.capacity],
      }),
    deadline_ms: z
      .int()
      .min(1)
      .max(BUDGET_MS_MAX)
      .meta({
        description: `milliseconds after which a search answers without the tier, 1 to ${BUDGET_MS_MAX}`,
        examples: [example.deadlineMs],
      }),
    budget_ms: z
      .int()
      .min(1)
      .max(BUDGET_MS_MAX)
      .meta({
        description: `milliseconds in which the tier promises to answer, 1 to ${BUDGET_MS_MAX}`,
        examples: [example.budgetMs],
      }),
  });
}

const model = z.strictObject({
  provider: z
    .enum(["hashed", "learned", "openai"])
    .meta({ description: "who makes the vectors", examples: ["hashed"] }),
  model: z
    .string()
    .min(1)
    .max(128)
    .meta({
      description: "the model's id; vectors of two models never meet in one ranking",
      examples: ["hashed-384-v1"],
    }),
  dimensions: z
    .int()
    .min(8)
    .max(DIMENSIONS_MAX)
    .meta({ description: `the length of a vector, 8 to ${DIMENSIONS_MAX}`, examples: [384] }),
  url: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description: "base URL of an OpenAI-compatible endpoint",
      examples: ["http://127.0.0.1:11434/v1"],
    }),
});

const embedding = model.extend({
  next: model.optional().meta({
    description: "the model that is to come: every site prepares it while the one above serves",
    examples: [{ provider: "hashed", model: "hashed-256-v1", dimensions: 256 }],
  }),
});

const defaults = z.strictObject({
  collection: collectionName.meta({
    description: "the collection of a document that names none",
    examples: ["default"],
  }),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$/)
    .meta({ description: "the BCP 47 language of a document that names none", examples: ["da"] }),
});

const writes = z.strictObject({
  synchronous: z.boolean().meta({
    description: "true: a write is acknowledged only when the standby has it too",
    examples: [false],
  }),
});

/** Says what each part of the file looks like; consistency.ts says what must hold between parts. */
export const networkSchema = z.strictObject({
  version: z.literal(1).meta({ description: "the version of this file's format", examples: [1] }),
  sites: z.array(siteSchema).min(1).max(SITES_MAX).meta({ description: "the sites of the network" }),
  tiers: z
    .strictObject({
      "ultra-hot": tier({ capacity: 1_000, deadlineMs: 1_000, budgetMs: 50 }),
      hot: tier({ capacity: 49_000, deadlineMs: 1_000, budgetMs: 200 }),
      warm: tier({ capacity: 300_000, deadlineMs: 1_500, budgetMs: 500 }),
      cold: tier({ capacity: 650_000, deadlineMs: 2_000, budgetMs: 2_000 }),
    })
    .meta({ description: "how fast a document must be found" }),
  country_groups: z
    .record(groupName, countryGroupSchema)
    .meta({ description: "named lists of countries, each with its legal source" }),
  classes: z
    .record(
      z
        .string()
        .regex(/^[a-z][a-z0-9-]{0,31}$/)
        .meta({ description: "a class name: lower-case letters, digits or hyphens", examples: ["dk-only"] }),
      residencyClassSchema,
    )
    .refine((classes) => Object.keys(classes).length <= CLASSES_MAX, {
      message: `at most ${CLASSES_MAX} classes`,
    })
    .meta({ description: "what the law allows for each residency class; whatever is not listed is refused" }),
  embedding: embedding.meta({ description: "how vectors are made" }),
  defaults: defaults.meta({ description: "what a document that is silent gets" }),
  writes: writes.meta({ description: "when a write is acknowledged" }),
  limits: limits.meta({ description: "bounds that belong to the topology" }),
  ...optionalSections,
});

/** What people write: the jurisdictions that it names are not in it. */
export const networkFileSchema = networkSchema.extend({
  jurisdictions: text(
    "another file of country groups, relative to this one, in place of the one that comes with Kattegat",
    "jurisdictions.yaml",
  ).optional(),
  country_groups: networkSchema.shape.country_groups
    .optional()
    .meta({ description: "country groups of this network's own, beside those of the jurisdictions" }),
});

type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

export type Network = DeepReadonly<z.infer<typeof networkSchema>>;
export type Site = Network["sites"][number];
export type ResidencyClass = Network["classes"][string];
