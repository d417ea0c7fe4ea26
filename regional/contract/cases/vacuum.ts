/** What becomes of deleted points. */
import { describe, expect, it } from "vitest";
import type { Call, QdrantUnderTest } from "../qdrant-under-test.ts";
import { COLLECTION } from "./points.fixture.ts";

/** A real server optimises when it has time. */
const WAIT = { timeout: 60_000, interval: 100 };

export function describeVacuum(call: Call, qdrant: () => QdrantUnderTest): void {
  async function filled(count: number): Promise<string> {
    const name = qdrant().newName();
    await call("PUT", `/collections/${name}`, COLLECTION);
    const points = Array.from({ length: count }, (_, id) => ({
      id,
      vector: { dense: [1, id, 0, 0] },
      payload: { document_id: `d${id}` },
    }));
    await call("PUT", `/collections/${name}/points?wait=true`, { points });
    return name;
  }
  const tune = (name: string, optimizers: object) =>
    call("PATCH", `/collections/${name}`, { optimizers_config: optimizers });
  async function segments(name: string): Promise<readonly { uuid: string; deleted: number }[]> {
    const { result } = await call("GET", "/telemetry?details_level=10");
    const told = result.collections.collections.find(({ id }: { id: string }) => id === name);
    return told.shards[0].local.segments.map(
      ({ info }: { info: { uuid: string; num_deleted_vectors: number } }) => ({
        uuid: info.uuid,
        deleted: info.num_deleted_vectors,
      }),
    );
  }
  const deleted = async (name: string): Promise<number> =>
    (await segments(name)).reduce((sum, segment) => sum + segment.deleted, 0);

  describe("deleted points", () => {
    it("stay in their segment, which tells how many, until a threshold asks for its rewriting (I24)", async () => {
      const name = await filled(400);
      await call("POST", `/collections/${name}/points/delete?wait=true`, { points: [7] });
      expect(await deleted(name)).toBe(1);
      const before = new Set(
        (await segments(name)).filter((each) => each.deleted > 0).map(({ uuid }) => uuid),
      );
      expect(await tune(name, { deleted_threshold: 0, vacuum_min_vector_number: 100 })).toMatchObject({
        status: 200,
        result: true,
      });
      await expect.poll(() => deleted(name), WAIT).toBe(0);
      expect((await segments(name)).filter(({ uuid }) => before.has(uuid))).toEqual([]);
      expect((await call("POST", `/collections/${name}/points/count`, {})).result).toEqual({ count: 399 });
      const { result } = await call("GET", `/collections/${name}`);
      expect(result.config.optimizer_config).toMatchObject({
        deleted_threshold: 0,
        vacuum_min_vector_number: 100,
      });
    });

    it("are vacuumed from no segment of fewer points than the least that may be asked for", async () => {
      const name = qdrant().newName();
      const refused = await call("PUT", `/collections/${name}`, {
        ...COLLECTION,
        optimizers_config: { vacuum_min_vector_number: 99 },
      });
      expect(refused.status).toBe(422);
      expect((await tune(await filled(1), { deleted_threshold: 1.5 })).status).toBe(422);
    });
  });
}
