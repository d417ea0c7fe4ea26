/** What a site holds, as its cluster remembers it. */
import { compareFences } from "@kattegat/protocol/sequence.ts";
import { HOLDING } from "../qdrant/passage-point.ts";
import { passagePointId, tombstonePointId } from "../qdrant/point-id.ts";
import type { Copies } from "../qdrant/schema.ts";
import { fenceOf, holdingSchema } from "./holding.ts";
import type { Holding } from "./holding.ts";

/** The later of copy and tombstone for each document that has one. */
export async function readHoldings(
  schema: Copies,
  documentIds: readonly string[],
): Promise<ReadonlyMap<string, Holding>> {
  if (documentIds.length === 0) return new Map();
  const ids = {
    copies: idsOf(documentIds, (id) => passagePointId(id, 1)),
    tombstones: idsOf(documentIds, tombstonePointId),
  };
  const [copies, tombstones] = await Promise.all([
    schema.run((client, { passages }) =>
      client.retrieve(passages, { ids: [...ids.copies.keys()], with_payload: [HOLDING] }),
    ),
    schema.run((client, { meta }) =>
      client.retrieve(meta, { ids: [...ids.tombstones.keys()], with_payload: [HOLDING] }),
    ),
  ]);
  const holdings = new Map<string, Holding>();
  for (const [points, names] of [
    [copies, ids.copies],
    [tombstones, ids.tombstones],
  ] as const) {
    for (const { id, payload } of points) {
      const documentId = names.get(String(id));
      const parsed = holdingSchema.safeParse(payload?.[HOLDING]);
      // Without a note it was written by something else: then nothing is known of it, and the next change decides.
      if (documentId === undefined || !parsed.success) continue;
      holdings.set(documentId, laterOf(holdings.get(documentId), parsed.data));
    }
  }
  return holdings;
}

/** A newer put leaves the old tombstone where it is, so the two are told apart by their fences. */
function laterOf(known: Holding | undefined, other: Holding): Holding {
  if (known === undefined) return other;
  const later = compareFences(fenceOf(other), fenceOf(known)) > 0 ? other : known;
  return { ...later, ordinal_max: Math.max(known.ordinal_max, other.ordinal_max) };
}

function idsOf(
  documentIds: readonly string[],
  pointId: (documentId: string) => string,
): ReadonlyMap<string, string> {
  return new Map(documentIds.map((id) => [pointId(id), id]));
}
