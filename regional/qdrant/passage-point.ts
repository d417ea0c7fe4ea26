/** Passages as points. */
import type { DocumentRecord } from "@kattegat/protocol/changes.ts";
import type { PassagePayload } from "@kattegat/protocol/filter-keys.ts";
import type { Holding } from "../apply/holding.ts";
import type { PassageVectors } from "./passage-vectors.ts";
import { passagePointId } from "./point-id.ts";
import { DENSE, LEXICAL } from "./schema.ts";
import { SEAL, sealOf } from "./seal.ts";

/** The payload key of the holding, at the first passage only; no caller's filter can name it. */
export const HOLDING = "holding";

export interface PassagePoint {
  readonly id: string;
  readonly vector: Record<string, number[] | { indices: number[]; values: number[] }>;
  readonly payload: Record<string, unknown>;
}

/** The points of a document whose ordinals are 1, 2, 3, …; the first says what the site holds. */
export function pointsOf(
  document: DocumentRecord,
  vectors: readonly PassageVectors[],
  holding: Holding,
): readonly PassagePoint[] {
  return document.passages.map(({ ordinal, text }, index) => {
    const payload: PassagePayload & { readonly [HOLDING]?: Holding } = {
      document_id: document.id,
      ordinal,
      version: document.version,
      collection: document.collection,
      residency: document.residency,
      tier: document.tier,
      lang: document.lang,
      // Left out where there is none, so that `is_empty` says so.
      ...(document.published_at === null ? {} : { published_at: document.published_at }),
      title: document.title,
      text,
      metadata: document.metadata,
      ...(ordinal === 1 ? { [HOLDING]: holding } : {}),
    };
    const own = vectors[index];
    if (own === undefined) throw new RangeError("expected vectors for each passage");
    return {
      id: passagePointId(document.id, ordinal),
      vector: namedVectors(own),
      payload: { ...payload, [SEAL]: sealOf({ payload: { ...payload }, ...own }) },
    };
  });
}

function namedVectors(vectors: PassageVectors): PassagePoint["vector"] {
  return { [DENSE]: vectors.dense, [LEXICAL]: { indices: vectors.indices, values: vectors.values } };
}
