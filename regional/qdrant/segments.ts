/** What the nodes of a Qdrant cluster tell of a collection's segments. */
import { z } from "zod";
import type { NodePool } from "./node-pool.ts";

/** A part of a collection that is written once: its deleted points leave the disk when another one replaces it. */
export interface Segment {
  readonly uuid: string;
  /** Points that are deleted and still in its files. */
  readonly deleted: number;
}

/** From here on Qdrant tells of segments; more is no harm. */
const DETAILS_LEVEL = 10;

const telemetrySchema = z.object({
  collections: z.object({
    collections: z.array(
      z.object({
        id: z.string(),
        shards: z
          .array(
            z.object({
              id: z.int(),
              local: z
                .object({
                  segments: z.array(
                    z.object({ info: z.object({ uuid: z.string(), num_deleted_vectors: z.int() }) }),
                  ),
                })
                .nullish(),
              remote: z.array(z.unknown()),
            }),
          )
          .nullish(),
      }),
    ),
  }),
});

/**
 * Resolves with every segment of every replica; null when the nodes that are known do not have all of them, do not say, or are
 * rewriting some.
 *
 * @throws {KattegatError} `unavailable` when a node does not answer.
 */
export async function segmentsOf(pool: NodePool, collection: string): Promise<readonly Segment[] | null> {
  // While a segment is rewritten its telemetry does not count what is deleted meanwhile.
  if (!(await isAtRest(pool, collection))) return null;
  const answers = await pool.runOnEach(async (client) => {
    const { data } = await client.api().telemetry({ details_level: DETAILS_LEVEL });
    return telemetrySchema.safeParse(data.result);
  });
  const segments: Segment[] = [];
  const replicas = new Map<number, { expected: number; found: number }>();
  for (const answer of answers) {
    const told = answer.data?.collections.collections.find(({ id }) => id === collection);
    if (!told?.shards) return null;
    for (const { id, local, remote } of told.shards) {
      const known = replicas.get(id) ?? { expected: 0, found: 0 };
      const here = local ? 1 : 0;
      replicas.set(id, { expected: here + remote.length, found: known.found + here });
      for (const { info } of local?.segments ?? []) {
        // Two addresses of one node: another may be named by none.
        if (segments.some(({ uuid }) => uuid === info.uuid)) return null;
        segments.push({ uuid: info.uuid, deleted: info.num_deleted_vectors });
      }
    }
  }
  const hasAll = [...replicas.values()].every(({ expected, found }) => found >= expected);
  return hasAll && (await isAtRest(pool, collection)) ? segments : null;
}

/** Whether no node optimizes the collection. */
async function isAtRest(pool: NodePool, collection: string): Promise<boolean> {
  const told = await pool.runOnEach((client) => client.getCollection(collection));
  return told.every(({ status }) => status === "green");
}
