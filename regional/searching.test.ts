import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRegional } from "./regional.fixture.ts";
import type { RegionalUnderTest } from "./regional.fixture.ts";
import { put, search } from "./site.fixture.ts";

let regional: RegionalUnderTest;
beforeAll(async () => {
  regional = await startRegional();
});
afterAll(() => regional?.stop());

describe("searching", () => {
  beforeAll(async () => {
    await regional.apply([
      put({
        id: "s-da",
        sequence: regional.next(),
        collection: "s",
        lang: "da",
        metadata: { source: "udhr", year: 1948, tags: ["right", "law"] },
        texts: ["a", "b", "c"],
        published_at: "1948-12-10",
      }),
      put({
        id: "s-en",
        sequence: regional.next(),
        collection: "s",
        lang: "en",
        residency: "global",
        metadata: { source: "spdx", year: 2001 },
        texts: ["d"],
      }),
      put({
        id: "s-und",
        sequence: regional.next(),
        collection: "s",
        lang: null,
        metadata: { lang: "trap" },
        texts: ["e", "f"],
      }),
    ]);
  });

  it("answers each document once with its best passage, or every passage", async () => {
    expect(await regional.found("s")).toHaveLength(3);
    expect(await regional.found("s", { group_by: "passage" })).toHaveLength(6);
    const { body } = await regional.site.post("/internal/search", search({ collection: "s" }));
    expect(
      body.dense.find((candidate: { document_id: string }) => candidate.document_id === "s-da").ordinal,
    ).toBe(1);
  });

  it("gives contents to the first of each list only", async () => {
    const { body } = await regional.site.post("/internal/search", search({ collection: "s", hydrated: 1 }));
    expect(body.dense.map((candidate: { content?: unknown }) => candidate.content !== undefined)).toEqual([
      true,
      false,
      false,
    ]);
  });

  it("hydrates passages by id in the order asked, null for what is gone or not permitted", async () => {
    const passages = [
      { document_id: "s-en", ordinal: 1 },
      { document_id: "s-da", ordinal: 9 },
      { document_id: "s-da", ordinal: 2 },
    ];
    const { body } = await regional.site.post("/internal/passages", {
      zone: "eu",
      classes: ["eu"],
      passages,
    });
    expect(body.passages).toEqual([
      null,
      null,
      {
        title: "Title of s-da",
        text: "b",
        lang: "da",
        metadata: { source: "udhr", year: 1948, tags: ["right", "law"] },
      },
    ]);
  });

  it.each([
    ["a document's field", { must: [{ key: "lang", match: { value: "en" } }] }, ["s-en"]],
    ["a metadata key under its bare name", { must: [{ key: "source", match: { value: "udhr" } }] }, ["s-da"]],
    [
      "a metadata key that hides behind a document's field",
      { must: [{ key: "metadata.lang", match: { value: "trap" } }] },
      ["s-und"],
    ],
    ["a range", { must: [{ key: "year", range: { gte: 1_950 } }] }, ["s-en"]],
    ["an element of a list", { must: [{ key: "tags", match: { any: ["law"] } }] }, ["s-da"]],
    ["a date", { must: [{ key: "published_at", range: { lt: "2000-01-01T00:00:00Z" } }] }, ["s-da"]],
    ["what is empty", { must: [{ is_empty: { key: "source" } }] }, ["s-und"]],
    ["what is null", { must: [{ is_null: { key: "lang" } }] }, ["s-und"]],
    ["a document id", { must: [{ has_id: ["s-en"] }] }, ["s-en"]],
    ["an empty filter", {}, ["s-da", "s-en", "s-und"]],
  ])("filters by %s", async (_, filter, expected) => {
    expect((await regional.found("s", { filter })).toSorted()).toEqual(expected);
  });

  it("filters by a passage id", async () => {
    expect(
      await regional.found("s", { group_by: "passage", filter: { must: [{ has_id: ["s-da#2"] }] } }),
    ).toEqual(["s-da#2"]);
  });

  it("answers the classes asked for alone (I4)", async () => {
    expect(await regional.found("s", { classes: ["global"] })).toEqual(["s-en"]);
    expect(await regional.found("s", { classes: [] })).toEqual([]);
  });

  it("refuses classes that may not pass through the zone that asks (I4)", async () => {
    const answer = await regional.site.post(
      "/internal/search",
      search({ zone: "global", classes: ["eu", "global"] }),
    );
    expect(answer).toMatchObject({ status: 403, body: { code: "residency_refused" } });
    expect(await regional.found("s", { zone: "global", classes: ["global"] })).toEqual(["s-en"]);
  });

  it("waits for a sequence that is on its way", async () => {
    const at = regional.next();
    const waiting = regional.found("s2", { min_sequence: String(at) });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await regional.apply([put({ id: "awaited", sequence: at, collection: "s2" })]);
    expect(await waiting).toEqual(["awaited"]);
  });

  it("says stale, with what it has, when the sequence does not come in time", async () => {
    const { body } = await regional.site.post(
      "/internal/search",
      search({ collection: "s", min_sequence: String(regional.sequence() + 5), deadline_ms: 400 }),
    );
    expect(body.tiers).toMatchObject([{ status: "stale" }]);
    expect(body.dense).toHaveLength(3);
  });
});

describe("bad input", () => {
  const vector = (overrides: Record<string, unknown>) => ({ ...search(), ...overrides });
  it.each([
    ["no JSON", "{", 400, "bad_json"],
    ["bad UTF-8", null, 400, "bad_json"],
    ["an unknown field", vector({ colour: 1 }), 400, "bad_request"],
    ["a short vector", vector({ dense: "AACAPw==" }), 400, "bad_vector"],
    ["a vector of NaN", vector({ dense: Buffer.alloc(384 * 4, 0xff).toString("base64") }), 400, "bad_vector"],
    ["half a number", vector({ lexical: { indices: "AAA=", values: "AAA=" } }), 400, "bad_vector"],
    [
      "a lexical vector with one weight missing",
      vector({ lexical: { indices: "AAAAAA==", values: "" } }),
      400,
      "bad_vector",
    ],
    ["an unknown zone", vector({ zone: "moon" }), 403, "residency_refused"],
    ["an unknown class", vector({ classes: ["secret"] }), 403, "residency_refused"],
    ["a body that is too large", `"${"x".repeat(3 * 1_024 * 1_024)}"`, 413, "too_large"],
  ])("answers %s with a problem document", async (_, body, status, code) => {
    const answer = await regional.site.post(
      "/internal/search",
      body ?? new Uint8Array([0x22, 0xff, 0xfe, 0x22]),
    );
    expect(answer).toMatchObject({ status, body: { status, code } });
  });

  it("refuses a request without a token", async () => {
    const response = await fetch(`${regional.site.url}/internal/watermark`);
    expect(response.status).toBe(401);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  it("answers an unknown route with not_found", async () => {
    expect(await regional.site.get("/internal/elsewhere")).toMatchObject({
      status: 404,
      body: { code: "not_found" },
    });
  });
});
