/** Declares what the law allows for one class of documents. */
import { z } from "zod";

import { countryCode, date, text } from "./country-group.ts";

/** Cloudflare residency zones that the one Worker bundle is deployed in. */
export const ZONES = ["eu", "global"] as const;
export type Zone = (typeof ZONES)[number];

/** Stands in a list of countries for every country, the unknown ones included. */
export const ANYWHERE = "anywhere";

/** A hundred years: what is kept for longer needs no period. */
const KEEP_DAYS_MAX = 36_525;
/** One for each country would be no rule any more. */
const TRANSFERS_MAX = 64;

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

const reason = text("why the rule is there, for people", "The client's contract demands it.");
const reference = text("the law, the decision or the contract that the rule follows", "Art. 32 GDPR");
/** A condition that only takes away can do without neither: nobody could review it. */
const because = { reason, reference };
const perhapsBecause = { reason: reason.optional(), reference: reference.optional() };

const places = z.strictObject({ countries, zones, ...perhapsBecause });

const operators = z
  .strictObject({
    exclude_law: z
      .array(countryCode)
      .min(1)
      .max(300)
      .meta({ description: "countries under whose law no operator may stand", examples: [["US"]] }),
    ...because,
  })
  .meta({
    description:
      "who may not run a place where the class rests or passes; a place without an operator is refused too",
    examples: [{ exclude_law: ["US"], reason: "Disclosure under the CLOUD Act.", reference: "Art. 48 GDPR" }],
  });

const transfer = z
  .strictObject({
    to: countries.min(1),
    basis: z
      .string()
      .regex(/^Art\. (46\([23]\)\([a-f]\)|47|49\(1\)(\([a-g]\)|, second subparagraph))$/)
      .meta({
        description:
          "the provision of the GDPR that allows it: Art. 46(2)(a) to (f), 46(3)(a) or (b), 47, 49(1)(a) to (g), or 49(1), second subparagraph",
        examples: ["Art. 46(2)(c)"],
      }),
    ...because,
    until: date.optional(),
  })
  .meta({
    description: "a legal basis for personal data to leave the EU, the EEA and the adequate countries",
  });

const staysIn = z
  .strictObject({
    country: countryCode,
    allows_transit: z
      .literal(true)
      .optional()
      .meta({ description: "the content may still pass through memory elsewhere", examples: [true] }),
    ...because,
  })
  .meta({
    description: "the one country in which every copy must rest by law",
    examples: [
      {
        country: "DK",
        reason: "Ordered for this register.",
        reference: "databeskyttelsesloven § 3, stk. 9",
      },
    ],
  });

const retention = z
  .strictObject({
    keep_days: z
      .int()
      .min(1)
      .max(KEEP_DAYS_MAX)
      .optional()
      .meta({ description: `days for which a document is kept, 1 to ${KEEP_DAYS_MAX}`, examples: [1826] }),
    from: z
      .enum(["created_at", "published_at"])
      .optional()
      .meta({ description: "the date from which keep_days counts", examples: ["created_at"] }),
    until: date.optional(),
    ...because,
  })
  .meta({
    description: "how long documents of the class are kept: keep_days with from, or until a date",
    examples: [
      {
        keep_days: 1826,
        from: "created_at",
        reason: "Accounting records.",
        reference: "bogføringsloven § 12",
      },
    ],
  });

export const residencyClassSchema = z.strictObject({
  description: text("what the class is for, for people", "Files of Danish authorities.").optional(),
  personal_data: z
    .boolean()
    .optional()
    .meta({
      description: "whether documents of the class hold personal data; silence means that they may",
      examples: [true],
    }),
  narrows: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/)
    .optional()
    .meta({ description: "the class that this one may narrow, never widen", examples: ["eu"] }),
  store: places.meta({
    description: "where a copy at rest may be",
    examples: [{ countries: ["DK"], zones: [] }],
  }),
  transit: places.meta({
    description: "through whose memory the content may pass",
    examples: [{ countries: ["DK"], zones: ["eu"] }],
  }),
  serve: z
    .strictObject({ countries, ...perhapsBecause })
    .meta({ description: "from where a caller may read it", examples: [{ countries: ["DK"] }] }),
  cache: z.strictObject({ zones, ...perhapsBecause }).meta({
    description: "in which edge zones a result that contains it may rest",
    examples: [{ zones: [] }],
  }),
  operators: operators.optional(),
  transfers: z
    .array(transfer)
    .max(TRANSFERS_MAX)
    .optional()
    .meta({ description: "legal bases for transfers to third countries" }),
  stays_in: staysIn.optional(),
  retention: retention.optional(),
});
