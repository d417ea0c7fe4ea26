/** Declares who runs a place. */
import { z } from "zod";

import { countryCode, text } from "./country-group.ts";

/** A company stands under the law of its seat, of its parent's seat, of a few more. */
const JURISDICTIONS_MAX = 16;

export const operatorSchema = z
  .strictObject({
    name: text("the company", "Cloudflare, Inc."),
    jurisdictions: z
      .array(countryCode)
      .min(1)
      .max(JURISDICTIONS_MAX)
      .meta({
        description: "countries whose law can oblige the company to disclose, its parent companies' included",
        examples: [["US"]],
      }),
  })
  .meta({
    description: "who runs this place, whatever country it stands in",
    examples: [{ name: "Cloudflare, Inc.", jurisdictions: ["US"] }],
  });
