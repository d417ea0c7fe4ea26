/** What a Qdrant server does, as far as a regional site relies on it; each case holds for the real server and the embedded one. */
import { describe, expect, it } from "vitest";
import type { Answer, QdrantUnderTest } from "./qdrant-under-test.ts";

const CONFIG = { vectors: { dense: { size: 4, distance: "Cosine" } }, sparse_vectors: { lexical: {} } };
const UUID = "2a24d1a4-6f2b-5d3c-9a1e-0123456789ab";

const POINTS = [
  { id: 1, vector: { dense: [1, 0, 0, 0], lexical: { indices: [5, 2], values: [1, 2] } }, payload: { document_id: "a", ordinal: 1, lang: "da", n: 1, tags: ["x", "y"], people: [{ name: "A", age: 1 }, { name: "B", age: 2 }] } },
  { id: 2, vector: { dense: [3, 3, 0, 0], lexical: { indices: [5], values: [3] } }, payload: { document_id: "a", ordinal: 2, lang: "da", n: 2.5, tags: [], flag: true } },
  { id: 10, vector: { dense: [0, 1, 0, 0] }, payload: { document_id: "b", ordinal: 1, lang: null, n: 10, at: "2020-06-01T12:00:00Z", text: "Right to Education" } },
  { id: UUID, vector: { dense: [0, 0, 1, 0], lexical: { indices: [2], values: [1] } }, payload: { document_id: "c", ordinal: 1, at: "2024-01-01", nested: { key: "v" } } },
];

export function describeQdrant(qdrant: () => QdrantUnderTest): void {
  const call = (method: string, path: string, body?: unknown): Promise<Answer> => qdrant().call(method, path, body);

  /** A collection with the four points. */
  async function filled(): Promise<string> {
    const name = qdrant().newName();
    expect((await call("PUT", `/collections/${name}`, CONFIG)).result).toBe(true);
    const { status, result } = await call("PUT", `/collections/${name}/points?wait=true`, { points: POINTS });
    expect([status, result.status]).toEqual([200, "completed"]);
    return name;
  }

  describeServer(call, qdrant);
  describeCollections(call, qdrant);
  describePoints(call, filled);
  describeFilters(call, filled);
  describeQueries(call, filled);
}

type Call = QdrantUnderTest["call"];
type Filled = () => Promise<string>;

function describeServer(call: Call, qdrant: () => QdrantUnderTest): void {
  describe("the server", () => {
    it("says who it is", async () => {
      const { status, body } = await call("GET", "/");
      expect(status).toBe(200);
      expect(body).toEqual({ title: "qdrant - vector search engine", version: expect.any(String), commit: expect.stringMatching(/^[0-9a-f]{40}$/) });
    });

    it("answers its health in plain text, without a key too", async () => {
      for (const [path, text] of [["/healthz", "healthz check passed"], ["/livez", "healthz check passed"], ["/readyz", "all shards are ready"]]) {
        const response = await fetch(`${qdrant().url}${path}`);
        expect([response.status, await response.text()]).toEqual([200, text]);
      }
    });

    it("puts results into an envelope with status and time", async () => {
      const { status, body } = await call("GET", "/collections");
      expect(status).toBe(200);
      expect(body).toMatchObject({ result: { collections: expect.any(Array) }, status: "ok", time: expect.any(Number) });
    });

    it("leaves the result out of an error", async () => {
      const { body } = await call("GET", `/collections/${qdrant().newName()}`);
      expect(body).toMatchObject({ status: { error: expect.any(String) }, time: expect.any(Number) });
      expect(body).not.toHaveProperty("result");
    });
  });
}

function describeCollections(call: Call, qdrant: () => QdrantUnderTest): void {
  describe("collections", () => {
    it("are created once: a second time is a conflict", async () => {
      const name = qdrant().newName();
      expect(await call("PUT", `/collections/${name}`, CONFIG)).toMatchObject({ status: 200, result: true });
      expect(await call("PUT", `/collections/${name}`, CONFIG)).toMatchObject({ status: 409, error: `Wrong input: Collection \`${name}\` already exists!` });
    });

    it("exist or do not, and that is no error", async () => {
      const name = qdrant().newName();
      expect(await call("GET", `/collections/${name}/exists`)).toMatchObject({ status: 200, result: { exists: false } });
      await call("PUT", `/collections/${name}`, CONFIG);
      expect(await call("GET", `/collections/${name}/exists`)).toMatchObject({ status: 200, result: { exists: true } });
    });

    it("are described with their parameters and payload indexes", async () => {
      const name = qdrant().newName();
      await call("PUT", `/collections/${name}`, CONFIG);
      await call("PUT", `/collections/${name}/index?wait=true`, { field_name: "document_id", field_schema: "keyword" });
      const { result } = await call("GET", `/collections/${name}`);
      expect(result.config.params.vectors.dense).toMatchObject({ size: 4, distance: "Cosine" });
      expect(result.config.params.sparse_vectors).toHaveProperty("lexical");
      expect(result.payload_schema.document_id).toMatchObject({ data_type: "keyword" });
      await call("DELETE", `/collections/${name}/index/document_id?wait=true`);
      expect((await call("GET", `/collections/${name}`)).result.payload_schema).toEqual({});
    });

    it("are said to be missing by name", async () => {
      const name = qdrant().newName();
      for (const path of [`/collections/${name}/points/query`, `/collections/${name}/points/scroll`, `/collections/${name}/points/count`]) {
        expect(await call("POST", path, {})).toMatchObject({ status: 404, error: `Not found: Collection \`${name}\` doesn't exist!` });
      }
    });

    it("answer false, not 404, when a missing one is deleted", async () => {
      expect(await call("DELETE", `/collections/${qdrant().newName()}`)).toMatchObject({ status: 200, result: false });
    });

    it("may have no vectors at all", async () => {
      const name = qdrant().newName();
      expect((await call("PUT", `/collections/${name}`, { vectors: {} })).status).toBe(200);
      expect((await call("PUT", `/collections/${name}/points?wait=true`, { points: [{ id: 1, vector: {}, payload: { a: 1 } }] })).status).toBe(200);
      expect((await call("POST", `/collections/${name}/points`, { ids: [1] })).result).toMatchObject([{ id: 1, payload: { a: 1 } }]);
    });

    it("in strict mode refuse a filter that no index serves", async () => {
      const name = qdrant().newName();
      await call("PUT", `/collections/${name}`, { ...CONFIG, strict_mode_config: { enabled: true, unindexed_filtering_retrieve: false } });
      const filter = { must: [{ key: "lang", match: { value: "da" } }] };
      const refused = await call("POST", `/collections/${name}/points/scroll`, { filter });
      expect(refused.status).toBe(400);
      expect(refused.error).toContain('Index required but not found for "lang" of one of the following types: [');
      await call("PUT", `/collections/${name}/index?wait=true`, { field_name: "lang", field_schema: "keyword" });
      expect((await call("POST", `/collections/${name}/points/scroll`, { filter })).status).toBe(200);
    });
  });
}

function describePoints(call: Call, filled: Filled): void {
  describe("points", () => {
    it("are acknowledged when the writer does not wait, and completed when it does", async () => {
      const name = await filled();
      const body = { points: [{ id: 99, vector: { dense: [1, 0, 0, 0] } }] };
      expect((await call("PUT", `/collections/${name}/points`, body)).result).toMatchObject({ operation_id: expect.any(Number), status: "acknowledged" });
      expect((await call("PUT", `/collections/${name}/points?wait=true&ordering=strong`, body)).result).toMatchObject({ status: "completed" });
    });

    it("are replaced whole", async () => {
      const name = await filled();
      await call("PUT", `/collections/${name}/points?wait=true`, { points: [{ id: 1, vector: { dense: [0, 1, 0, 0] }, payload: { only: 1 } }] });
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
      expect(await call("GET", `/collections/${name}/points/777`)).toMatchObject({ status: 404, error: "Not found: Point with id 777 does not exists!" });
    });

    it("refuse what is no id, another dimension, or an unknown vector", async () => {
      const name = await filled();
      const put = (point: object): Promise<Answer> => call("PUT", `/collections/${name}/points?wait=true`, { points: [point] });
      expect(await call("GET", `/collections/${name}/points/abc`)).toMatchObject({ status: 400, error: 'Can not recognize "abc" as point id' });
      expect((await put({ id: "abc", vector: {} })).status).toBe(400);
      expect(await put({ id: 5, vector: { dense: [1, 2, 3] } })).toMatchObject({ status: 400, error: "Wrong input: Vector dimension error: expected dim: 4, got 3" });
      expect(await put({ id: 5, vector: { foo: [1, 2, 3, 4] } })).toMatchObject({ status: 400, error: "Wrong input: Not existing vector name error: foo" });
    });

    it("refuse a body that is no JSON", async () => {
      const name = await filled();
      const { status, error } = await call("PUT", `/collections/${name}/points?wait=true`, "{");
      expect(status).toBe(400);
      expect(error).toMatch(/^Format error in JSON body: /);
    });

    it("are deleted by id and by filter", async () => {
      const name = await filled();
      await call("POST", `/collections/${name}/points/delete?wait=true`, { points: [1] });
      await call("POST", `/collections/${name}/points/delete?wait=true`, { filter: { must: [{ key: "document_id", match: { value: "b" } }] } });
      const { result } = await call("POST", `/collections/${name}/points/scroll`, {});
      expect(result.points.map(({ id }: { id: unknown }) => id)).toEqual([2, UUID]);
    });

    it("keep the rest of their payload when a part is set", async () => {
      const name = await filled();
      await call("POST", `/collections/${name}/points/payload?wait=true`, { payload: { lang: "en" }, points: [1] });
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
      expect(result.map((one: { status: string }) => one.status)).toEqual(["completed", "completed", "completed"]);
      expect((await call("GET", `/collections/${name}/points/50`)).result.payload).toEqual({ k: 2 });
      expect((await call("GET", `/collections/${name}/points/1`)).status).toBe(404);
    });

    it("are scrolled in pages, numbers before UUIDs, until the next offset is null", async () => {
      const name = await filled();
      const first = await call("POST", `/collections/${name}/points/scroll`, { limit: 3 });
      expect(first.result.points.map(({ id }: { id: unknown }) => id)).toEqual([1, 2, 10]);
      expect(first.result.next_page_offset).toBe(UUID);
      const second = await call("POST", `/collections/${name}/points/scroll`, { limit: 3, offset: UUID });
      expect(second.result).toMatchObject({ points: [{ id: UUID, payload: { document_id: "c" } }], next_page_offset: null });
    });
  });
}

function describeFilters(call: Call, filled: Filled): void {
  describe("filters", () => {
    const cases: readonly (readonly [title: string, filter: object, ids: readonly unknown[]])[] = [
      ["match a keyword", { must: [{ key: "lang", match: { value: "da" } }] }, [1, 2]],
      ["match an integer", { must: [{ key: "n", match: { value: 10 } }] }, [10]],
      ["match a boolean", { must: [{ key: "flag", match: { value: true } }] }, [2]],
      ["match any element of a list", { must: [{ key: "tags", match: { value: "y" } }] }, [1]],
      ["match one of several values", { must: [{ key: "document_id", match: { any: ["a", "c"] } }] }, [1, 2, UUID]],
      ["match all but some values, never what is missing", { must: [{ key: "document_id", match: { except: ["a"] } }] }, [10, UUID]],
      ["match an exception never for null", { must: [{ key: "lang", match: { except: ["en"] } }] }, [1, 2]],
      ["match text as a part, in its case", { must: [{ key: "text", match: { text: "Education" } }] }, [10]],
      ["do not match text in another case without an index", { must: [{ key: "text", match: { text: "education" } }] }, []],
      ["compare numbers", { must: [{ key: "n", range: { gt: 1, lte: 10 } }] }, [2, 10]],
      ["compare dates", { must: [{ key: "at", range: { gte: "2020-06-01T14:00:00+02:00", lt: "2024-01-01T00:00:00Z" } }] }, [10]],
      ["are false on a missing field", { must: [{ key: "missing", range: { gt: 0 } }] }, []],
      ["find what is missing, null or an empty list", { must: [{ is_empty: { key: "tags" } }] }, [2, 10, UUID]],
      ["find null as empty", { must: [{ is_empty: { key: "lang" } }] }, [10, UUID]],
      ["find null alone", { must: [{ is_null: { key: "lang" } }] }, [10]],
      ["count values", { must: [{ key: "tags", values_count: { gte: 2 } }] }, [1]],
      ["know ids", { must: [{ has_id: [10, UUID, 777] }] }, [10, UUID]],
      ["need one of should", { should: [{ key: "n", match: { value: 1 } }, { key: "n", match: { value: 10 } }] }, [1, 10]],
      ["need none of must_not", { must_not: [{ key: "document_id", match: { value: "a" } }] }, [10, UUID]],
      ["nest", { must: [{ should: [{ has_id: [1] }, { must_not: [{ is_empty: { key: "at" } }] }] }] }, [1, 10, UUID]],
      ["need a least number", { min_should: { conditions: [{ key: "lang", match: { value: "da" } }, { key: "n", range: { gt: 2 } }, { has_id: [10] }], min_count: 2 } }, [2, 10]],
      ["follow a path", { must: [{ key: "nested.key", match: { value: "v" } }] }, [UUID]],
      ["look at elements of a list by path", { must: [{ key: "people[].name", match: { value: "B" } }] }, [1]],
      ["do not need one element for several conditions", { must: [{ key: "people[].name", match: { value: "A" } }, { key: "people[].age", match: { value: 2 } }] }, [1]],
      ["need one element for nested conditions", { must: [{ nested: { key: "people", filter: { must: [{ key: "name", match: { value: "A" } }, { key: "age", match: { value: 2 } }] } } }] }, []],
      ["find one element for nested conditions", { must: [{ nested: { key: "people", filter: { must: [{ key: "name", match: { value: "B" } }, { key: "age", match: { value: 2 } }] } } }] }, [1]],
      ["let everything pass when they are empty", {}, [1, 2, 10, UUID]],
    ];
    it("hold what is documented of them", async () => {
      const name = await filled();
      for (const [title, filter, ids] of cases) {
        const { result } = await call("POST", `/collections/${name}/points/scroll`, { filter, limit: 100 });
        expect(result.points.map(({ id }: { id: unknown }) => id), title).toEqual(ids);
        expect((await call("POST", `/collections/${name}/points/count`, { filter, exact: true })).result, title).toEqual({ count: ids.length });
      }
    });

    it("give the same with payload indexes", async () => {
      const name = await filled();
      for (const [field_name, field_schema] of [["document_id", "keyword"], ["lang", "keyword"], ["tags", "keyword"], ["n", "float"], ["at", "datetime"], ["flag", "bool"]]) {
        expect((await call("PUT", `/collections/${name}/index?wait=true`, { field_name, field_schema })).status).toBe(200);
      }
      for (const [title, filter, ids] of cases) {
        const { result } = await call("POST", `/collections/${name}/points/scroll`, { filter, limit: 100 });
        expect(result.points.map(({ id }: { id: unknown }) => id), title).toEqual(ids);
      }
    });

    it("are refused when they are none", async () => {
      const name = await filled();
      for (const filter of [{ must: [{ key: "a" }] }, { must: [{ key: "a", match: { value: 1.5 } }] }, { must: [{ key: "a", range: { gt: "yesterday" } }] }]) {
        expect((await call("POST", `/collections/${name}/points/scroll`, { filter })).status, JSON.stringify(filter)).toBe(400);
      }
    });
  });
}

function describeQueries(call: Call, filled: Filled): void {
  const hits = ({ result }: Answer): unknown[] => result.points.map(({ id }: { id: unknown }) => id);

  describe("queries", () => {
    it("rank by cosine, without payload or vectors unless asked", async () => {
      const name = await filled();
      const answer = await call("POST", `/collections/${name}/points/query`, { query: [2, 0.5, 0, 0], using: "dense", limit: 3 });
      expect(hits(answer)).toEqual([1, 2, 10]);
      expect(answer.result.points[0].score).toBeCloseTo(2 / Math.hypot(2, 0.5), 5);
      expect(answer.result.points[0]).not.toHaveProperty("payload.document_id");
      expect(answer.result.points[0].vector ?? null).toBeNull();
    });

    it("rank by sparse dot product the points that share an index", async () => {
      const name = await filled();
      const answer = await call("POST", `/collections/${name}/points/query`, { query: { indices: [2, 5], values: [10, 1] }, using: "lexical" });
      expect(answer.result.points.map(({ id, score }: { id: unknown; score: number }) => [id, score])).toEqual([[1, 21], [UUID, 10], [2, 3]]);
    });

    it("apply filter, limit and offset", async () => {
      const name = await filled();
      const body = { query: [1, 0.1, 0, 0], using: "dense", filter: { must: [{ key: "document_id", match: { any: ["a", "b"] } }] } };
      expect(hits(await call("POST", `/collections/${name}/points/query`, body))).toEqual([1, 2, 10]);
      expect(hits(await call("POST", `/collections/${name}/points/query`, { ...body, limit: 1, offset: 1 }))).toEqual([2]);
      expect(hits(await call("POST", `/collections/${name}/points/query`, { ...body, params: { exact: true } }))).toEqual([1, 2, 10]);
    });

    it("leave out scores below the threshold", async () => {
      const name = await filled();
      const body = { query: { indices: [5], values: [1] }, using: "lexical" };
      expect(hits(await call("POST", `/collections/${name}/points/query`, { ...body, score_threshold: 0.9 }))).toEqual([2, 1]);
      expect(hits(await call("POST", `/collections/${name}/points/query`, { ...body, score_threshold: 1.1 }))).toEqual([2]);
    });

    it("leave out the point that is asked by", async () => {
      const name = await filled();
      expect(hits(await call("POST", `/collections/${name}/points/query`, { query: 1, using: "dense", limit: 2 }))[0]).toBe(2);
    });

    it("include or exclude parts of the payload", async () => {
      const name = await filled();
      const ask = async (with_payload: unknown) => {
        const { result } = await call("POST", `/collections/${name}/points/query`, { query: [0, 0, 1, 0], using: "dense", limit: 1, with_payload });
        return result.points[0].payload;
      };
      expect(await ask(["document_id", "nested.key"])).toEqual({ document_id: "c", nested: { key: "v" } });
      expect(await ask({ include: ["ordinal"] })).toEqual({ ordinal: 1 });
      expect(await ask({ exclude: ["at", "nested", "ordinal"] })).toEqual({ document_id: "c" });
    });

    it("give vectors when asked", async () => {
      const name = await filled();
      const { result } = await call("POST", `/collections/${name}/points/query`, { query: [0, 0, 1, 0], using: "dense", limit: 1, with_vector: ["dense"] });
      expect(result.points[0].vector).toEqual({ dense: [0, 0, 1, 0] });
    });

    it("score a zero vector zero, not an error", async () => {
      const name = await filled();
      await call("PUT", `/collections/${name}/points?wait=true`, { points: [{ id: 70, vector: { dense: [0, 0, 0, 0] } }] });
      const { status, result } = await call("POST", `/collections/${name}/points/query`, { query: [1, 0, 0, 0], using: "dense", filter: { must: [{ has_id: [70] }] } });
      expect([status, result.points[0].score]).toEqual([200, 0]);
    });

    it("are answered in a batch, each on its own", async () => {
      const name = await filled();
      const search = { query: [1, 0, 0, 0], using: "dense", limit: 1 };
      const { result } = await call("POST", `/collections/${name}/points/query/batch`, { searches: [search, { ...search, query: [0, 0, 1, 0] }] });
      expect(result.map((one: { points: { id: unknown }[] }) => one.points.map(({ id }) => id))).toEqual([[1], [UUID]]);
    });

    it("are grouped by a payload key, each group by its best point", async () => {
      const name = await filled();
      await call("PUT", `/collections/${name}/index?wait=true`, { field_name: "document_id", field_schema: "keyword" });
      const body = { query: [1, 0.5, 0.1, 0], using: "dense", group_by: "document_id", limit: 2 };
      const single = await call("POST", `/collections/${name}/points/query/groups`, { ...body, group_size: 1 });
      expect(single.result.groups.map(({ id, hits: best }: any) => [id, best.length])).toEqual([["a", 1], ["b", 1]]);
      const several = await call("POST", `/collections/${name}/points/query/groups`, body);
      expect(several.result.groups[0].hits.map(({ id }: { id: unknown }) => id).toSorted()).toEqual([1, 2]);
    });

    it("refuse another dimension and an unknown vector", async () => {
      const name = await filled();
      expect((await call("POST", `/collections/${name}/points/query`, { query: [1], using: "dense" })).status).toBe(400);
      expect(await call("POST", `/collections/${name}/points/query`, { query: [1, 0, 0, 0], using: "foo" })).toMatchObject({ status: 400, error: expect.stringContaining("Not existing vector name error: foo") });
    });
  });
}
