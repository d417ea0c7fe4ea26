/** How often documents were answered, as an edge tells the primary: `POST /internal/usage`. */
import { z } from "zod";

/** Documents in one report; an edge sends the most used and forgets the rest, since use is an estimate. */
export const USAGE_DOCUMENTS_MAX = 1_000;

export const usageReportSchema = z.strictObject({
  site: z.string(),
  documents: z.array(z.strictObject({ id: z.string(), hits: z.int().min(1) })).max(USAGE_DOCUMENTS_MAX),
});
export type UsageReport = z.infer<typeof usageReportSchema>;
