/** Points of Qdrant's answers as candidates. */
import type { Candidate, PassageContent } from "@kattegat/protocol/site-search.ts";
import { passageContentSchema } from "@kattegat/protocol/site-search.ts";
import { sequenceSchema } from "@kattegat/protocol/sequence.ts";
import { z } from "zod";

/** What a candidate needs of the payload; the rest stays at the site. */
export const CANDIDATE_FIELDS = ["document_id", "ordinal", "version", "residency"];
export const CONTENT_FIELDS = ["title", "text", "lang", "metadata"];

const hitSchema = z.object({
  score: z.number(),
  payload: z.object({
    document_id: z.string(),
    ordinal: z.int().min(1),
    version: sequenceSchema,
    residency: z.string(),
  }),
});
const storedSchema = z.object({
  id: z.string(),
  payload: passageContentSchema.extend({ residency: z.string() }),
});

/** A regional site is the warm tier, whatever tier a document is on its way to. */
const TIER = "warm" as const;

/** Ordered by score, document id, ordinal: Qdrant breaks ties by its own ids. */
export function candidatesOf(points: readonly unknown[], classes: readonly string[]): Candidate[] {
  const candidates = points.flatMap((point): Candidate[] => {
    const { score, payload } = hitSchema.parse(point);
    // The filter says so already; a cluster that ignores a filter must not leak.
    return classes.includes(payload.residency) ? [{ ...payload, score, tier: TIER }] : [];
  });
  return candidates.sort(
    (a, b) => b.score - a.score || compareText(a.document_id, b.document_id) || a.ordinal - b.ordinal,
  );
}

function compareText(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

/** The contents by point id, of the classes given. */
export function contentsOf(
  points: readonly unknown[],
  classes: readonly string[],
): ReadonlyMap<string, PassageContent> {
  const contents = new Map<string, PassageContent>();
  for (const point of points) {
    const { id, payload } = storedSchema.parse(point);
    const { residency, ...content } = payload;
    if (classes.includes(residency)) contents.set(id, content);
  }
  return contents;
}
