/** Which documents a filter means, page by page, for the operator's own commands. */
import { z } from "zod";
import { documentIdSchema } from "./documents.ts";
import { filterSchema } from "./filter.ts";
import { collectionSchema, tierNameSchema } from "./search.ts";
import { sequenceSchema } from "./sequence.ts";

/** Documents looked at for one page: a tenth of a second of the primary. */
export const SELECTION_SCANNED_MAX = 2_000;

export const selectionRequestSchema = z.strictObject({
  filter: filterSchema,
  collection: collectionSchema.nullable(),
  /** The id that the page before ended with; empty at the beginning. */
  after: z.union([z.literal(""), documentIdSchema]),
});
export type SelectionRequest = z.infer<typeof selectionRequestSchema>;

export const selectionPageSchema = z.object({
  documents: z.array(
    z.object({
      id: z.string(),
      /** Of the content that passed: a later one may pass no more. */
      version: sequenceSchema,
      collection: z.string(),
      residency: z.string(),
      tier: tierNameSchema,
    }),
  ),
  /** Null when every document was looked at. */
  after: z.string().nullable(),
  scanned: z.int(),
});
export type SelectionPage = z.infer<typeof selectionPageSchema>;
