/** The candidates of one cold index, in the form that the result cache keeps. */
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import { z } from "zod";

/** Where a passage's text is. */
export interface ColdPlace {
  /** The key of a segment, or of the base. */
  readonly segment: string;
  /** Of the segment's object; 0 for the base. */
  readonly bytes: number;
  readonly row: number;
}

const coldCandidateSchema = z.object({
  document_id: z.string(),
  ordinal: z.int(),
  score: z.number(),
  version: sequenceSchema,
  residency: z.string(),
  segment: z.string(),
  bytes: z.int(),
  row: z.int(),
  /** Its document's number in the base; null in a segment. */
  document: z.int().nullable(),
  /** False for one that cannot come to stand on the page: `document_id` is then a stand-in that orders last. */
  named: z.boolean(),
});
export type ColdCandidate = Readonly<z.infer<typeof coldCandidateSchema>>;

/** Ids with scores, never a text: an erased document's words do not rest in a cache. */
export const coldListsSchema = z.object({
  dense: z.array(coldCandidateSchema),
  lexical: z.array(coldCandidateSchema),
  /** Lists of the base that the search asked for. */
  probed: z.array(z.int()),
});
export type ColdLists = z.infer<typeof coldListsSchema>;
