/** What holds of collections. */
import { describe, expect, it } from "vitest";
import type { Call, QdrantUnderTest } from "../qdrant-under-test.ts";
import { COLLECTION } from "./points.fixture.ts";

export function describeCollections(call: Call, qdrant: () => QdrantUnderTest): void {
  describe("collections", () => {
    it("are created once: a second time is a conflict", async () => {
      const name = qdrant().newName();
      expect(await call("PUT", `/collections/${name}`, COLLECTION)).toMatchObject({
        status: 200,
        result: true,
      });
      expect(await call("PUT", `/collections/${name}`, COLLECTION)).toMatchObject({
        status: 409,
        error: `Wrong input: Collection \`${name}\` already exists!`,
      });
    });

    it("exist or do not, and that is no error", async () => {
      const name = qdrant().newName();
      expect(await call("GET", `/collections/${name}/exists`)).toMatchObject({
        status: 200,
        result: { exists: false },
      });
      await call("PUT", `/collections/${name}`, COLLECTION);
      expect(await call("GET", `/collections/${name}/exists`)).toMatchObject({
        status: 200,
        result: { exists: true },
      });
    });

    it("are described with their parameters and payload indexes", async () => {
      const name = qdrant().newName();
      await call("PUT", `/collections/${name}`, COLLECTION);
      await call("PUT", `/collections/${name}/index?wait=true`, {
        field_name: "document_id",
        field_schema: "keyword",
      });
      const { result } = await call("GET", `/collections/${name}`);
      expect(result.config.params.vectors.dense).toMatchObject({ size: 4, distance: "Cosine" });
      expect(result.config.params.sparse_vectors).toHaveProperty("lexical");
      expect(result.payload_schema.document_id).toMatchObject({ data_type: "keyword" });
      await call("DELETE", `/collections/${name}/index/document_id?wait=true`);
      expect((await call("GET", `/collections/${name}`)).result.payload_schema).toEqual({});
    });

    it("are said to be missing by name", async () => {
      const name = qdrant().newName();
      for (const path of [
        `/collections/${name}/points/query`,
        `/collections/${name}/points/scroll`,
        `/collections/${name}/points/count`,
      ]) {
        expect(await call("POST", path, {})).toMatchObject({
          status: 404,
          error: `Not found: Collection \`${name}\` doesn't exist!`,
        });
      }
    });
  });
}

export function describeCollectionKinds(call: Call, qdrant: () => QdrantUnderTest): void {
  describe("kinds of collections", () => {
    it("answer false, not 404, when a missing one is deleted", async () => {
      expect(await call("DELETE", `/collections/${qdrant().newName()}`)).toMatchObject({
        status: 200,
        result: false,
      });
    });

    it("may have no vectors at all", async () => {
      const name = qdrant().newName();
      expect((await call("PUT", `/collections/${name}`, { vectors: {} })).status).toBe(200);
      expect(
        (
          await call("PUT", `/collections/${name}/points?wait=true`, {
            points: [{ id: 1, vector: {}, payload: { a: 1 } }],
          })
        ).status,
      ).toBe(200);
      expect((await call("POST", `/collections/${name}/points`, { ids: [1] })).result).toMatchObject([
        { id: 1, payload: { a: 1 } },
      ]);
    });

    it("in strict mode refuse a filter that no index serves", async () => {
      const name = qdrant().newName();
      await call("PUT", `/collections/${name}`, {
        ...COLLECTION,
        strict_mode_config: { enabled: true, unindexed_filtering_retrieve: false },
      });
      const filter = { must: [{ key: "lang", match: { value: "da" } }] };
      const refused = await call("POST", `/collections/${name}/points/scroll`, { filter });
      expect(refused.status).toBe(400);
      expect(refused.error).toContain(
        'Index required but not found for "lang" of one of the following types: [',
      );
      await call("PUT", `/collections/${name}/index?wait=true`, {
        field_name: "lang",
        field_schema: "keyword",
      });
      expect((await call("POST", `/collections/${name}/points/scroll`, { filter })).status).toBe(200);
    });
  });
}
