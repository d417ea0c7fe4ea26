/** Declares what the law allows for one class of documents. */
import { z } from "zod";

/** Cloudflare residency zones that the one Worker bundle is deployed in. */
export const ZONES = ["eu", "global"] as const;
export type Zone = (typeof ZONES)[number];

/** Stands in a list of countries for every country, the unknown ones included. */
export const ANYWHERE = "anywhere";

export const countryCode = z
  .string()
  .regex(/^[A-Z]{2}$/)
  .meta({ description: "an ISO 3166-1 alpha-2 country code in capitals", examples: ["DK"] });

const date = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/)
  .meta({ description: "a date, year-month-day", examples: ["2031-12-27"] });

const countries = z
  .array(
    z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9-]{1,31}$/)
      .meta({ description: "a country code, the name of a country group, or anywhere", examples: ["DK"] }),
  )
  .max(300)
  .meta({ description: "country codes, names of country groups, or anywhere", examples: [["DK"]] });

const zones = z
  .array(z.enum(ZONES).meta({ description: "a Cloudflare residency zone", examples: ["eu"] }))
  .max(ZONES.length)
  .meta({ description: "Cloudflare residency zones", examples: [["eu"]] });

const places = z.strictObject({ countries, zones });

export const residencyClassSchema = z.strictObject({
  description: z
    .string()
    .min(1)
    .max(400)
    .optional()
    .meta({ description: "what the class is for, for people", examples: ["Files of Danish authorities."] }),
  store: places.meta({
    description: "where a copy at rest may be",
    examples: [{ countries: ["DK"], zones: [] }],
  }),
  transit: places.meta({
    description: "through whose memory the content may pass",
    examples: [{ countries: ["DK"], zones: ["eu"] }],
  }),
  serve: z
    .strictObject({ countries })
    .meta({ description: "from where a caller may read it", examples: [{ countries: ["DK"] }] }),
  cache: z.strictObject({ zones }).meta({
    description: "in which edge zones a result that contains it may rest",
    examples: [{ zones: [] }],
  }),
});

export const countryGroupSchema = z.strictObject({
  description: z
    .string()
    .min(1)
    .max(400)
    .meta({ description: "what the group is", examples: ["Member states of the European Union."] }),
  source: z
    .string()
    .min(1)
    .max(400)
    .meta({ description: "the legal source of the list", examples: ["Art. 52 TEU"] }),
  as_of: date,
  countries: z
    .array(countryCode)
    .min(1)
    .max(300)
    .meta({ description: "country codes", examples: [["DK", "SE"]] }),
  until: z
    .record(countryCode, date)
    .optional()
    .meta({
      description: "the last day on which a country counts, where its listing expires",
      examples: [{ GB: "2031-12-27" }],
    }),
});
