/** The requests to Qdrant that bring about a plan. */
import type { QdrantClient } from "@qdrant/js-client-rest";
import { HOLDING, pointsOf } from "../qdrant/passage-point.ts";
import type { PassageVectors } from "../qdrant/passage-vectors.ts";
import { passagePointId, tombstonePointId } from "../qdrant/point-id.ts";
import type { Copies } from "../qdrant/schema.ts";
import { ID_BYTES, TOMBSTONE_BYTES, documentBytes, pointBytes } from "./json-size.ts";
import type { Outcome } from "./plan.ts";

/** About 9 MB of JSON at 384 dimensions: larger requests were not faster, and hold back the searches behind them longer. */
const REQUEST_POINTS_MAX = 1_000;
/** Half of what Qdrant takes, since sizes are estimated; a point alone is below it at the contract's limits. */
const REQUEST_BYTES_MAX = 16 * 1_024 * 1_024;
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
  schema: Copies,
  outcomes: readonly Outcome[],
  vectorsOf: (outcome: Outcome) => readonly PassageVectors[],
): Promise<void> {
  await writeTombstones(
    schema,
    outcomes.filter(({ document }) => document === null),
  );
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
  let left = { points: 0, bytes: 0 };
  for (const outcome of outcomes) {
    const points = Math.max(outcome.holding.passages, outcome.holding.ordinal_max);
    const bytes = outcome.document === null ? 0 : documentBytes(outcome.document);
    // What removes points that no note tells of has none of its own, and needs a lane all the same.
    if (lanes.length === 0 || points > left.points || bytes > left.bytes) {
      lanes.push([]);
      left = { points: REQUEST_POINTS_MAX, bytes: REQUEST_BYTES_MAX };
    }
    lanes.at(-1)?.push(outcome);
    left = { points: left.points - points, bytes: left.bytes - bytes };
  }
  return lanes;
}

async function writeLane(
  schema: Copies,
  lane: readonly Outcome[],
  vectorsOf: (outcome: Outcome) => readonly PassageVectors[],
): Promise<void> {
  const points = lane.flatMap((outcome) =>
    outcome.document === null ? [] : pointsOf(outcome.document, vectorsOf(outcome), outcome.holding),
  );
  const first = points.filter(({ payload }) => payload["ordinal"] === 1);
  const others = points.filter(({ payload }) => payload["ordinal"] !== 1);
  const surplus = lane.flatMap(surplusIds);
  const operations: BatchOperations = [
    ...chunksOf(first, pointBytes).map((chunk) => ({ upsert: { points: chunk } })),
    ...chunksOf(others, pointBytes).map((chunk) => ({ upsert: { points: chunk } })),
    ...chunksOf(surplus, () => ID_BYTES).map((ids) => ({ delete: { points: ids } })),
    ...foreignPoints(lane, points),
  ];
  const bytes = points.reduce((sum, point) => sum + pointBytes(point), 0);
  const isSmall = points.length + surplus.length <= REQUEST_POINTS_MAX && bytes <= REQUEST_BYTES_MAX;
  for (const request of isSmall ? [operations] : operations.map((operation) => [operation])) {
    if (request.length === 0) continue;
    await schema.run((client, { passages }) =>
      client.batchUpdate(passages, { wait: true, ordering: "strong", operations: request }),
    );
  }
}

/** Whatever else says that it belongs to a document whose notes are in doubt; the points just written stay. */
function foreignPoints(
  lane: readonly Outcome[],
  written: readonly { readonly id: string }[],
): BatchOperations {
  const doubted = lane.filter(({ isDoubted }) => isDoubted).map(({ documentId }) => documentId);
  if (doubted.length === 0) return [];
  const must = [{ key: "document_id", match: { any: doubted } }];
  const kept = written.map(({ id }) => id);
  return [{ delete: { filter: kept.length === 0 ? { must } : { must, must_not: [{ has_id: kept }] } } }];
}

function surplusIds({ documentId, holding }: Outcome): string[] {
  const ids: string[] = [];
  for (let ordinal = holding.passages + 1; ordinal <= holding.ordinal_max; ordinal += 1)
    ids.push(passagePointId(documentId, ordinal));
  return ids;
}

async function writeTombstones(schema: Copies, outcomes: readonly Outcome[]): Promise<void> {
  const points = outcomes.map(({ documentId, holding }) => ({
    id: tombstonePointId(documentId),
    vector: {},
    payload: { kind: "tombstone", sequence_number: Number(holding.sequence), [HOLDING]: holding },
  }));
  for (const chunk of chunksOf(points, () => TOMBSTONE_BYTES)) {
    await schema.run((client, { meta }) =>
      client.upsert(meta, { wait: true, ordering: "strong", points: chunk }),
    );
  }
}

function chunksOf<T>(items: readonly T[], bytesOf: (item: T) => number): T[][] {
  const chunks: T[][] = [];
  let left = 0;
  for (const item of items) {
    const bytes = bytesOf(item);
    if (bytes > left || chunks.at(-1)?.length === REQUEST_POINTS_MAX) {
      chunks.push([]);
      left = REQUEST_BYTES_MAX;
    }
    chunks.at(-1)?.push(item);
    left -= bytes;
  }
  return chunks;
}
