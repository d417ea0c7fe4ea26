/** What holds of queries. */
import { describe, expect, it } from "vitest";
import type { Answer, Call, Filled } from "../qdrant-under-test.ts";
import { UUID } from "./points.fixture.ts";

const hits = ({ result }: Answer): unknown[] => result.points.map(({ id }: { id: unknown }) => id);

export function describeQueries(call: Call, filled: Filled): void {
  describe("queries", () => {
    it("rank by cosine, without payload or vectors unless asked", async () => {
      const name = await filled();
      const answer = await call("POST", `/collections/${name}/points/query`, {
        query: [2, 0.5, 0, 0],
        using: "dense",
        limit: 3,
      });
      expect(hits(answer)).toEqual([1, 2, 10]);
      expect(answer.result.points[0].score).toBeCloseTo(2 / Math.hypot(2, 0.5), 5);
      expect(answer.result.points[0]).not.toHaveProperty("payload.document_id");
      expect(answer.result.points[0].vector ?? null).toBeNull();
    });

    it("rank by sparse dot product the points that share an index", async () => {
      const name = await filled();
      const answer = await call("POST", `/collections/${name}/points/query`, {
        query: { indices: [2, 5], values: [10, 1] },
        using: "lexical",
      });
      expect(
        answer.result.points.map(({ id, score }: { id: unknown; score: number }) => [id, score]),
      ).toEqual([
        [1, 21],
        [UUID, 10],
        [2, 3],
      ]);
    });

    it("apply filter, limit and offset", async () => {
      const name = await filled();
      const body = {
        query: [1, 0.1, 0, 0],
        using: "dense",
        filter: { must: [{ key: "document_id", match: { any: ["a", "b"] } }] },
      };
      expect(hits(await call("POST", `/collections/${name}/points/query`, body))).toEqual([1, 2, 10]);
      expect(
        hits(await call("POST", `/collections/${name}/points/query`, { ...body, limit: 1, offset: 1 })),
      ).toEqual([2]);
      expect(
        hits(await call("POST", `/collections/${name}/points/query`, { ...body, params: { exact: true } })),
      ).toEqual([1, 2, 10]);
    });

    it("leave out scores below the threshold", async () => {
      const name = await filled();
      const body = { query: { indices: [5], values: [1] }, using: "lexical" };
      expect(
        hits(await call("POST", `/collections/${name}/points/query`, { ...body, score_threshold: 0.9 })),
      ).toEqual([2, 1]);
      expect(
        hits(await call("POST", `/collections/${name}/points/query`, { ...body, score_threshold: 1.1 })),
      ).toEqual([2]);
    });

    it("leave out the point that is asked by", async () => {
      const name = await filled();
      expect(
        hits(
          await call("POST", `/collections/${name}/points/query`, { query: 1, using: "dense", limit: 2 }),
        )[0],
      ).toBe(2);
    });
  });
}

export function describeAnswers(call: Call, filled: Filled): void {
  describe("answers of queries", () => {
    it("include or exclude parts of the payload", async () => {
      const name = await filled();
      const ask = async (with_payload: unknown) => {
        const { result } = await call("POST", `/collections/${name}/points/query`, {
          query: [0, 0, 1, 0],
          using: "dense",
          limit: 1,
          with_payload,
        });
        return result.points[0].payload;
      };
      expect(await ask(["document_id", "nested.key"])).toEqual({ document_id: "c", nested: { key: "v" } });
      expect(await ask({ include: ["ordinal"] })).toEqual({ ordinal: 1 });
      expect(await ask({ exclude: ["at", "nested", "ordinal"] })).toEqual({ document_id: "c" });
    });

    it("give vectors when asked", async () => {
      const name = await filled();
      const { result } = await call("POST", `/collections/${name}/points/query`, {
        query: [0, 0, 1, 0],
        using: "dense",
        limit: 1,
        with_vector: ["dense"],
      });
      expect(result.points[0].vector).toEqual({ dense: [0, 0, 1, 0] });
    });

    it("score a zero vector zero, not an error", async () => {
      const name = await filled();
      await call("PUT", `/collections/${name}/points?wait=true`, {
        points: [{ id: 70, vector: { dense: [0, 0, 0, 0] } }],
      });
      const { status, result } = await call("POST", `/collections/${name}/points/query`, {
        query: [1, 0, 0, 0],
        using: "dense",
        filter: { must: [{ has_id: [70] }] },
      });
      expect([status, result.points[0].score]).toEqual([200, 0]);
    });

    it("are answered in a batch, each on its own", async () => {
      const name = await filled();
      const search = { query: [1, 0, 0, 0], using: "dense", limit: 1 };
      const { result } = await call("POST", `/collections/${name}/points/query/batch`, {
        searches: [search, { ...search, query: [0, 0, 1, 0] }],
      });
      expect(result.map((one: { points: { id: unknown }[] }) => one.points.map(({ id }) => id))).toEqual([
        [1],
        [UUID],
      ]);
    });
  });
}

export function describeGroups(call: Call, filled: Filled): void {
  describe("groups", () => {
    it("are grouped by a payload key, each group by its best point", async () => {
      const name = await filled();
      await call("PUT", `/collections/${name}/index?wait=true`, {
        field_name: "document_id",
        field_schema: "keyword",
      });
      const body = { query: [1, 0.5, 0.1, 0], using: "dense", group_by: "document_id", limit: 2 };
      const single = await call("POST", `/collections/${name}/points/query/groups`, {
        ...body,
        group_size: 1,
      });
      expect(
        single.result.groups.map(({ id, hits: best }: { id: unknown; hits: unknown[] }) => [id, best.length]),
      ).toEqual([
        ["a", 1],
        ["b", 1],
      ]);
      const several = await call("POST", `/collections/${name}/points/query/groups`, body);
      expect(several.result.groups[0].hits.map(({ id }: { id: unknown }) => id).toSorted()).toEqual([1, 2]);
    });

    it("refuse another dimension and an unknown vector", async () => {
      const name = await filled();
      expect(
        (await call("POST", `/collections/${name}/points/query`, { query: [1], using: "dense" })).status,
      ).toBe(400);
      expect(
        await call("POST", `/collections/${name}/points/query`, { query: [1, 0, 0, 0], using: "foo" }),
      ).toMatchObject({ status: 400, error: expect.stringContaining("Not existing vector name error: foo") });
    });
  });
}
