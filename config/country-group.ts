/** Declares a list of countries that the law keeps. */
import { z } from "zod";

export const countryCode = z
  .string()
  .regex(/^[A-Z]{2}$/)
  .meta({ description: "an ISO 3166-1 alpha-2 country code in capitals", examples: ["DK"] });

export const date = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/)
  .meta({ description: "a date, year-month-day", examples: ["2031-12-27"] });

/** What people read in an explanation, a record or a report: a paragraph, no more. */
const TEXT_CHARACTERS_MAX = 400;

export function text(description: string, example: string) {
  return z
    .string()
    .min(1)
    .max(TEXT_CHARACTERS_MAX)
    .meta({ description, examples: [example] });
}

export const groupName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9-]{1,31}$/)
  .meta({ description: "the name of a country group", examples: ["EEA"] });

const partialListing = z
  .strictObject({
    reason: text("why the country does not count", "The decision covers participants alone."),
    reference: text("the decision", "Decision (EU) 2023/1795"),
    until: date.optional(),
  })
  .meta({
    description: "a listing that does not cover the whole country",
    examples: [{ reason: "The decision covers participants alone.", reference: "Decision (EU) 2023/1795" }],
  });

export const countryGroupSchema = z
  .strictObject({
    description: text("what the group is", "Member states of the European Union."),
    source: text("the legal source of the list", "Art. 52 TEU"),
    as_of: date,
    countries: z
      .array(countryCode)
      .min(1)
      .max(300)
      .meta({ description: "country codes", examples: [["DK", "SE"]] }),
    free_flow: z
      .literal(true)
      .optional()
      .meta({
        description: "personal data may go to these countries without a basis of Art. 46 or 49 GDPR",
        examples: [true],
      }),
    until: z
      .record(countryCode, date)
      .optional()
      .meta({
        description: "the last day on which a country counts, where its listing expires",
        examples: [{ GB: "2031-12-27" }],
      }),
    references: z
      .record(countryCode, text("the decision on this country", "Decision 2010/146/EU"))
      .optional()
      .meta({
        description: "the decision on each country, where there is one for each",
        examples: [{ FO: "Decision 2010/146/EU" }],
      }),
    partial: z
      .record(countryCode, partialListing)
      .optional()
      .meta({
        description: "countries that the law lists in part, and that therefore do not count",
        examples: [{ CA: { reason: "Covers PIPEDA alone.", reference: "Decision 2002/2/EC" } }],
      }),
  })
  .meta({ description: "a named list of countries with its legal source" });
