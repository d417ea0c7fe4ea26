/** Declares the optional sections of the network file: tenants, and what lies beside the sites. */
import { z } from "zod";

import { countryCode, text } from "./country-group.ts";
import { operatorSchema } from "./operator.ts";

/** As many as classes: each tenant that narrows has a class of its own. */
const TENANTS_MAX = 64;
const COLLECTIONS_MAX = 1_000;
/** A reader should see them on a page. */
const DESTINATIONS_MAX = 64;

const name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/)
  .meta({ description: "a name: 1 to 32 lower-case letters, digits or hyphens", examples: ["acme"] });

export const collectionName = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,64}$/)
  .meta({
    description: "the name of a collection: 1 to 64 of A–Z a–z 0–9 . _ ~ -",
    examples: ["acme-contracts"],
  });

const classNames = z
  .array(name.meta({ description: "the name of a class", examples: ["eu"] }))
  .min(1)
  .max(64)
  .meta({ description: "names of classes", examples: [["eu"]] });

const site = name.meta({ description: "the id of a site", examples: ["dk-cph"] });

const tenant = z
  .strictObject({
    collections: z
      .array(collectionName)
      .min(1)
      .max(COLLECTIONS_MAX)
      .meta({ description: "collections that are this tenant's alone", examples: [["acme-contracts"]] }),
    classes: classNames,
  })
  .meta({ description: "a client with collections of its own" });

/** A place that is no site: what rests there is decided by the same rules. */
const place = { country: countryCode, operator: operatorSchema };

const telemetry = z
  .strictObject({
    name,
    signal: z
      .enum(["logs", "metrics", "traces"])
      .meta({ description: "what goes there", examples: ["logs"] }),
    ...place,
    classes: classNames.meta({
      description: "classes whose metadata (ids, class names, sizes, times) may go there",
      examples: [["eu", "global"]],
    }),
  })
  .meta({ description: "a destination of logs, metrics or traces" });

const encryption = z
  .strictObject({
    algorithm: text("how the bytes are sealed", "AES-256-GCM"),
    keys_in: countryCode,
  })
  .meta({
    description: "how it is sealed, and in which country the keys are",
    examples: [{ algorithm: "AES-256-GCM", keys_in: "DK" }],
  });

const backup = z
  .strictObject({
    name,
    of: site,
    ...place,
    replicas: z
      .array(countryCode)
      .max(16)
      .optional()
      .meta({
        description: "countries to which the provider copies it, its paired region included",
        examples: [["DK"]],
      }),
    encryption: encryption.optional(),
  })
  .meta({ description: "where a copy of a site's store is kept" });

const failover = z
  .strictObject({ of: site, to: site })
  .meta({ description: "which site takes whose work", examples: [{ of: "dk-cph", to: "dk-aar" }] });

const organisation = z
  .strictObject({
    controller: text("who decides why and how data is processed", "Example Law ApS, København"),
    role: z
      .enum(["controller", "processor"])
      .meta({ description: "what the operator of this network is", examples: ["processor"] }),
    contact: text("how to reach it", "privacy@example.dk"),
    representative: text("the representative in the EU, Art. 27 GDPR", "Example GmbH, Berlin").optional(),
    data_protection_officer: text("the data protection officer", "dpo@example.dk").optional(),
    purposes: z
      .array(text("why documents are processed", "Search in case law"))
      .min(1)
      .max(32)
      .meta({ description: "purposes", examples: [["Search in case law"]] }),
    data_subjects: z
      .array(text("whom the data is about", "Parties to proceedings"))
      .min(1)
      .max(32)
      .meta({ description: "categories of data subjects", examples: [["Parties to proceedings"]] }),
    data_categories: z
      .array(text("which data it is", "Names, facts of a case"))
      .min(1)
      .max(32)
      .meta({ description: "categories of personal data", examples: [["Names, facts of a case"]] }),
    security_measures: z
      .array(text("a measure of Art. 32 GDPR", "Disks are encrypted"))
      .max(32)
      .optional()
      .meta({ description: "measures beside those of Kattegat itself", examples: [["Disks are encrypted"]] }),
  })
  .meta({ description: "who answers for the processing, for the record of Art. 30 GDPR" });

export const optionalSections = {
  tenants: z
    .record(name, tenant)
    .refine((tenants) => Object.keys(tenants).length <= TENANTS_MAX, {
      message: `at most ${TENANTS_MAX} tenants`,
    })
    .optional()
    .meta({ description: "clients with collections of their own, each with the classes that it may use" }),
  telemetry: z
    .array(telemetry)
    .max(DESTINATIONS_MAX)
    .optional()
    .meta({ description: "where logs, metrics and traces go" }),
  backups: z
    .array(backup)
    .max(DESTINATIONS_MAX)
    .optional()
    .meta({ description: "where copies of the sites' stores are kept" }),
  failover: z
    .array(failover)
    .max(DESTINATIONS_MAX)
    .optional()
    .meta({ description: "which site takes whose work when it is lost" }),
  organisation: organisation.optional(),
};
