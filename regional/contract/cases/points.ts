/** What holds of points. */
import { describe, expect, it } from "vitest";
import type { Answer, Call, Filled } from "../qdrant-under-test.ts";
import { UUID } from "./points.fixture.ts";

export function describePoints(call: Call, filled: Filled): void {
  describe("points", () => {
    it("are acknowledged when the writer does not wait, and completed when it does", async () => {
      const name = await filled();
      const body = { points: [{ id: 99, vector: { dense: [1, 0, 0, 0] } }] };
      expect((await call("PUT", `/collections/${name}/points`, body)).result).toMatchObject({
        operation_id: expect.any(Number),
        status: "acknowledged",
      });
      expect(
        (await call("PUT", `/collections/${name}/points?wait=true&ordering=strong`, body)).result,
      ).toMatchObject({ status: "completed" });
    });

    it("are replaced whole", async () => {
      const name = await filled();
      await call("PUT", `/collections/${name}/points?wait=true`, {
        points: [{ id: 1, vector: { dense: [0, 1, 0, 0] }, payload: { only: 1 } }],
      });
      const { result } = await call("GET", `/collections/${name}/points/1`);
      expect(result.payload).toEqual({ only: 1 });
      expect(result.vector).not.toHaveProperty("lexical");
    });

    it("come back with vectors of unit length under Cosine", async () => {
      const name = await filled();
      const { result } = await call("POST", `/collections/${name}/points`, { ids: [2], with_vector: true });
      expect(result[0].vector.dense[0]).toBeCloseTo(Math.SQRT1_2, 6);
    });

    it("take UUIDs in every form and give them back in one", async () => {
      const name = await filled();
      for (const id of [UUID, UUID.replaceAll("-", ""), `urn:uuid:${UUID}`, UUID.toUpperCase()]) {
        const { result } = await call("POST", `/collections/${name}/points`, { ids: [id] });
        expect(result.map((point: { id: unknown }) => point.id)).toEqual([UUID]);
      }
    });

    it("that are not there are left out of a retrieval, and are 404 alone", async () => {
      const name = await filled();
      expect((await call("POST", `/collections/${name}/points`, { ids: [1, 777] })).result).toHaveLength(1);
      expect(await call("GET", `/collections/${name}/points/777`)).toMatchObject({
        status: 404,
        error: "Not found: Point with id 777 does not exists!",
      });
    });
  });
}

export function describePointRefusals(call: Call, filled: Filled): void {
  describe("refused points", () => {
    it("refuse what is no id, another dimension, or an unknown vector", async () => {
      const name = await filled();
      const put = (point: object): Promise<Answer> =>
        call("PUT", `/collections/${name}/points?wait=true`, { points: [point] });
      expect(await call("GET", `/collections/${name}/points/abc`)).toMatchObject({
        status: 400,
        error: 'Can not recognize "abc" as point id',
      });
      expect((await put({ id: "abc", vector: {} })).status).toBe(400);
      expect(await put({ id: 5, vector: { dense: [1, 2, 3] } })).toMatchObject({
        status: 400,
        error: "Wrong input: Vector dimension error: expected dim: 4, got 3",
      });
      expect(await put({ id: 5, vector: { foo: [1, 2, 3, 4] } })).toMatchObject({
        status: 400,
        error: "Wrong input: Not existing vector name error: foo",
      });
    });

    it("refuse a body that is no JSON", async () => {
      const name = await filled();
      const { status, error } = await call("PUT", `/collections/${name}/points?wait=true`, "{");
      expect(status).toBe(400);
      expect(error).toMatch(/^Format error in JSON body: /);
    });
  });
}

export function describePointWrites(call: Call, filled: Filled): void {
  describe("writes of points", () => {
    it("are deleted by id and by filter", async () => {
      const name = await filled();
      await call("POST", `/collections/${name}/points/delete?wait=true`, { points: [1] });
      await call("POST", `/collections/${name}/points/delete?wait=true`, {
        filter: { must: [{ key: "document_id", match: { value: "b" } }] },
      });
      const { result } = await call("POST", `/collections/${name}/points/scroll`, {});
      expect(result.points.map(({ id }: { id: unknown }) => id)).toEqual([2, UUID]);
    });

    it("keep the rest of their payload when a part is set", async () => {
      const name = await filled();
      await call("POST", `/collections/${name}/points/payload?wait=true`, {
        payload: { lang: "en" },
        points: [1],
      });
      const { result } = await call("GET", `/collections/${name}/points/1`);
      expect(result.payload).toMatchObject({ lang: "en", document_id: "a" });
    });

    it("are changed in the order of a batch", async () => {
      const name = await filled();
      const { status, result } = await call("POST", `/collections/${name}/points/batch?wait=true`, {
        operations: [
          { upsert: { points: [{ id: 50, vector: { dense: [1, 0, 0, 0] }, payload: { k: 1 } }] } },
          { set_payload: { payload: { k: 2 }, points: [50] } },
          { delete: { points: [1] } },
        ],
      });
      expect(status).toBe(200);
      expect(result.map((one: { status: string }) => one.status)).toEqual([
        "completed",
        "completed",
        "completed",
      ]);
      expect((await call("GET", `/collections/${name}/points/50`)).result.payload).toEqual({ k: 2 });
      expect((await call("GET", `/collections/${name}/points/1`)).status).toBe(404);
    });

    it("are scrolled in pages, numbers before UUIDs, until the next offset is null", async () => {
      const name = await filled();
      const first = await call("POST", `/collections/${name}/points/scroll`, { limit: 3 });
      expect(first.result.points.map(({ id }: { id: unknown }) => id)).toEqual([1, 2, 10]);
      expect(first.result.next_page_offset).toBe(UUID);
      const second = await call("POST", `/collections/${name}/points/scroll`, { limit: 3, offset: UUID });
      expect(second.result).toMatchObject({
        points: [{ id: UUID, payload: { document_id: "c" } }],
        next_page_offset: null,
      });
    });
  });
}
