/** The requests to Qdrant that bring about a plan. */
import type { QdrantClient } from "@qdrant/js-client-rest";
import { HOLDING, pointsOf } from "../qdrant/passage-point.ts";
import type { PassagePoint } from "../qdrant/passage-point.ts";
import type { PassageVectors } from "../qdrant/passage-vectors.ts";
import { passagePointId, tombstonePointId } from "../qdrant/point-id.ts";
import { META, PASSAGES } from "../qdrant/schema.ts";
import type { Schema } from "../qdrant/schema.ts";
import type { Outcome } from "./plan.ts";

/** About 9 MB of JSON at 384 dimensions, below Qdrant's 32 MiB with long texts too. */
const REQUEST_POINTS_MAX = 1_000;
/** One is read by Qdrant while the next is written here; a third would only fill memory. */
const REQUESTS_IN_FLIGHT = 2;

type BatchOperations = Parameters<QdrantClient["batchUpdate"]>[1]["operations"];

/**
 * Resolves when every outcome is stored.
 *
 * A copy's first passage goes first, since it says how many others there can be: whatever half of a write was done, the
 * next one knows what to remove. A tombstone goes before the removal for the same reason.
 */
export async function writeOutcomes(
  schema: Schema,
  outcomes: readonly Outcome[],
  vectorsOf: (outcome: Outcome) => readonly PassageVectors[],
): Promise<void> {
  await writeTombstones(schema, outcomes.filter(({ document }) => document === null));
  const lanes = lanesOf(outcomes);
  const next = lanes.values();
  const worker = async (): Promise<void> => {
    for (const lane of next) await writeLane(schema, lane, vectorsOf);
  };
  await Promise.all(Array.from({ length: REQUESTS_IN_FLIGHT }, worker));
}

/** Documents whose points fit one request; a longer document is alone. */
function lanesOf(outcomes: readonly Outcome[]): readonly (readonly Outcome[])[] {
  const lanes: Outcome[][] = [];
  let points = REQUEST_POINTS_MAX;
  for (const outcome of outcomes) {
    const cost = Math.max(outcome.holding.passages, outcome.holding.ordinal_max);
    if (points + cost > REQUEST_POINTS_MAX) {
      lanes.push([]);
      points = 0;
    }
    lanes.at(-1)?.push(outcome);
    points += cost;
  }
  return lanes;
}

async function writeLane(
  schema: Schema,
  lane: readonly Outcome[],
  vectorsOf: (outcome: Outcome) => readonly PassageVectors[],
): Promise<void> {
  const points = lane.flatMap((outcome) => (outcome.document === null ? [] : pointsOf(outcome.document, vectorsOf(outcome), outcome.holding)));
  const first = points.filter(({ payload }) => payload["ordinal"] === 1);
  const others = points.filter(({ payload }) => payload["ordinal"] !== 1);
  const surplus = lane.flatMap(surplusIds);
  const operations: BatchOperations = [
    ...chunks(first).map((chunk) => ({ upsert: { points: chunk } })),
    ...chunks(others).map((chunk) => ({ upsert: { points: chunk } })),
    ...chunks(surplus).map((ids) => ({ delete: { points: ids } })),
  ];
  const isSmall = points.length + surplus.length <= REQUEST_POINTS_MAX;
  for (const request of isSmall ? [operations] : operations.map((operation) => [operation])) {
    if (request.length === 0) continue;
    await schema.run((client) => client.batchUpdate(PASSAGES, { wait: true, ordering: "strong", operations: request }));
  }
}

function surplusIds({ documentId, holding }: Outcome): string[] {
  const ids: string[] = [];
  for (let ordinal = holding.passages + 1; ordinal <= holding.ordinal_max; ordinal += 1) ids.push(passagePointId(documentId, ordinal));
  return ids;
}

async function writeTombstones(schema: Schema, outcomes: readonly Outcome[]): Promise<void> {
  const points = outcomes.map(({ documentId, holding }) => ({
    id: tombstonePointId(documentId),
    vector: {},
    payload: { kind: "tombstone", sequence_number: Number(holding.sequence), [HOLDING]: holding },
  }));
  for (const chunk of chunks(points)) {
    await schema.run((client) => client.upsert(META, { wait: true, ordering: "strong", points: [...chunk] }));
  }
}

function chunks<T extends string | PassagePoint | object>(items: readonly T[]): T[][] {
  const made: T[][] = [];
  for (let at = 0; at < items.length; at += REQUEST_POINTS_MAX) made.push(items.slice(at, at + REQUEST_POINTS_MAX));
  return made;
}
