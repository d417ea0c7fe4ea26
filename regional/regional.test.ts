import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startQdrant, temporaryFolder } from "./process.fixture.ts";
import type { Folder, Running } from "./process.fixture.ts";
import { batch, put, search, skip, startSite, withdraw } from "./site.fixture.ts";
import type { SiteAnswer, SiteProcess } from "./site.fixture.ts";

let folder: Folder;
let qdrant: Running;
let site: SiteProcess;

beforeAll(async () => {
  folder = await temporaryFolder();
  qdrant = await startQdrant(`${folder.path}/qdrant`);
  site = await startSite(folder.path, [qdrant.url]);
});
afterAll(async () => {
  await site?.kill("SIGTERM");
  await qdrant?.kill("SIGTERM");
  await folder?.remove();
});

let sequence = 0;
const next = (): number => (sequence += 1);

/** The ids that a search of the collection finds by vector, best first. */
async function found(collection: string, overrides: Parameters<typeof search>[0] = {}): Promise<string[]> {
  const { status, body } = await site.post("/internal/search", search({ collection, ...overrides }));
  expect(status, JSON.stringify(body)).toBe(200);
  return body.dense.map((candidate: { document_id: string; ordinal: number }) =>
    overrides.group_by === "passage"
      ? `${candidate.document_id}#${candidate.ordinal}`
      : candidate.document_id,
  );
}

async function apply(
  changes: Parameters<typeof batch>[0],
  options: Partial<Parameters<typeof batch>[1]> = {},
): Promise<SiteAnswer> {
  return site.post("/internal/apply", batch(changes, { watermark: sequence, ...options }));
}

describe("applying changes", () => {
  it("finds a document after its put, with scores of both lists", async () => {
    const at = next();
    const answer = await apply([put({ id: "first", sequence: at, collection: "a1" })]);
    expect(answer).toEqual({
      status: 200,
      body: { watermark: { epoch: 1, sequence: String(at) }, refused: [] },
    });
    const { body } = await site.post("/internal/search", search({ collection: "a1" }));
    expect(body.dense).toMatchObject([
      {
        document_id: "first",
        ordinal: 1,
        tier: "warm",
        version: String(at),
        residency: "eu",
        content: { title: "Title of first" },
      },
    ]);
    expect(body.dense[0].score).toBeCloseTo(Math.cos(0.01 + at / 1_000), 6);
    expect(body.lexical[0].score).toBeCloseTo(1 + at / 64, 6);
    expect(body.tiers).toEqual([{ tier: "warm", status: "ok", watermark: String(at), lag_ms: 0 }]);
  });

  it("changes nothing when the same change comes twice (I3)", async () => {
    const change = put({ id: "twice", sequence: next(), collection: "a2", texts: ["one", "two"] });
    await apply([change]);
    expect((await apply([change])).status).toBe(200);
    expect(await found("a2", { group_by: "passage" })).toEqual(["twice#1", "twice#2"]);
  });

  it("ignores a put that comes after a later one (I3)", async () => {
    const [early, late] = [next(), next()];
    await apply([put({ id: "late", sequence: late, collection: "a3", texts: ["new"] })]);
    await apply([put({ id: "late", sequence: early, collection: "a3", texts: ["old", "older"] })]);
    expect(await found("a3", { group_by: "passage" })).toEqual(["late#1"]);
  });

  it("does not bring back a withdrawn document when an older put comes late (I3)", async () => {
    const [early, later] = [next(), next()];
    await apply([withdraw("gone", later)]);
    await apply([put({ id: "gone", sequence: early, collection: "a4" })]);
    expect(await found("a4")).toEqual([]);
  });

  it("holds a document again that is put after its withdrawal", async () => {
    await apply([put({ id: "again", sequence: next(), collection: "a5", texts: ["1", "2", "3"] })]);
    await apply([withdraw("again", next())]);
    expect(await found("a5")).toEqual([]);
    await apply([put({ id: "again", sequence: next(), collection: "a5", texts: ["1"] })]);
    expect(await found("a5", { group_by: "passage" })).toEqual(["again#1"]);
  });

  it("removes the passages that a shorter version no longer has", async () => {
    await apply([put({ id: "shrinks", sequence: next(), collection: "a6", texts: ["1", "2", "3", "4"] })]);
    await apply([put({ id: "shrinks", sequence: next(), collection: "a6", texts: ["1", "2"] })]);
    expect(await found("a6", { group_by: "passage" })).toEqual(["shrinks#1", "shrinks#2"]);
  });

  it("keeps the last of several changes to a document in one batch", async () => {
    const changes = [
      put({ id: "folded", sequence: next(), collection: "a7", texts: ["1", "2", "3"] }),
      withdraw("folded", next()),
      put({ id: "folded", sequence: next(), collection: "a7", texts: ["1"] }),
      skip(next()),
    ];
    await apply(changes);
    expect(await found("a7", { group_by: "passage" })).toEqual(["folded#1"]);
  });

  it("answers divergence for the same fence with other content, and applies nothing of the batch (I2)", async () => {
    const at = next();
    await apply([put({ id: "forked", sequence: at, collection: "a8" })]);
    const answer = await apply([
      put({ id: "innocent", sequence: next(), collection: "a8" }),
      put({ id: "forked", sequence: at, collection: "a8", digest: "other" }),
    ]);
    expect(answer).toMatchObject({ status: 409, body: { code: "divergence" } });
    expect(await found("a8")).toEqual(["forked"]);
    expect((await site.get("/internal/watermark")).body.watermark.sequence).toBe(String(at));
  });

  it("refuses a class that the site may not hold, goes on with the others, and drops an older copy (I5)", async () => {
    await apply([put({ id: "recalled", sequence: next(), collection: "a9" })]);
    const refusedAt = next();
    const answer = await apply([
      put({ id: "recalled", sequence: refusedAt, collection: "a9", residency: "dk-only" }),
      put({ id: "allowed", sequence: next(), collection: "a9" }),
      put({ id: "unknown", sequence: next(), collection: "a9", residency: "nowhere" }),
    ]);
    expect(answer.body.refused).toMatchObject([
      { sequence: String(refusedAt), code: "residency_refused" },
      { sequence: String(sequence), code: "residency_refused" },
    ]);
    expect(await found("a9")).toEqual(["allowed"]);
  });

  it("refuses a passage whose vector does not fit, and goes on with the others (I15)", async () => {
    const bad = put({ id: "short", sequence: next(), collection: "a10" });
    if (bad.kind === "put") for (const passage of bad.document.passages) passage.dense = "AACAPw==";
    const answer = await apply([bad, put({ id: "sound", sequence: next(), collection: "a10" })]);
    expect(answer.body.refused).toMatchObject([{ code: "bad_vector" }]);
    expect(await found("a10")).toEqual(["sound"]);
  });

  it("never moves the watermark back (I8)", async () => {
    const at = sequence;
    const answer = await apply([], { watermark: at - 1, head: at });
    expect(answer.body.watermark).toEqual({ epoch: 1, sequence: String(at) });
    expect((await site.get("/internal/watermark")).body).toMatchObject({
      site: "eu-fra",
      watermark: { epoch: 1, sequence: String(at) },
    });
  });

  it("stores documents of more passages than one request takes", async () => {
    const texts = Array.from({ length: 2_300 }, (_, index) => `passage ${index}`);
    await apply([put({ id: "long", sequence: next(), collection: "a11", texts })]);
    expect(await found("a11", { group_by: "passage", candidates: 1_000 })).toHaveLength(1_000);
    await apply([put({ id: "long", sequence: next(), collection: "a11", texts: ["short now"] })]);
    expect(await found("a11", { group_by: "passage", candidates: 1_000 })).toEqual(["long#1"]);
  });
});

describe("large documents", () => {
  it("are stored in requests that Qdrant takes, though metadata rides on every passage", async () => {
    const metadata = { notes: "n".repeat(30_000) };
    const texts = Array.from({ length: 900 }, (_, index) => `${index} `.repeat(3_000));
    const answer = await apply([put({ id: "heavy", sequence: next(), collection: "h", metadata, texts })]);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(await found("h", { group_by: "passage", candidates: 1_000, hydrated: 0 })).toHaveLength(900);
  });
});

describe("searching", () => {
  beforeAll(async () => {
    await apply([
      put({
        id: "s-da",
        sequence: next(),
        collection: "s",
        lang: "da",
        metadata: { source: "udhr", year: 1948, tags: ["right", "law"] },
        texts: ["a", "b", "c"],
        published_at: "1948-12-10",
      }),
      put({
        id: "s-en",
        sequence: next(),
        collection: "s",
        lang: "en",
        residency: "global",
        metadata: { source: "spdx", year: 2001 },
        texts: ["d"],
      }),
      put({
        id: "s-und",
        sequence: next(),
        collection: "s",
        lang: null,
        metadata: { lang: "trap" },
        texts: ["e", "f"],
      }),
    ]);
  });

  it("answers each document once with its best passage, or every passage", async () => {
    expect(await found("s")).toHaveLength(3);
    expect(await found("s", { group_by: "passage" })).toHaveLength(6);
    const { body } = await site.post("/internal/search", search({ collection: "s" }));
    expect(
      body.dense.find((candidate: { document_id: string }) => candidate.document_id === "s-da").ordinal,
    ).toBe(1);
  });

  it("gives contents to the first of each list only", async () => {
    const { body } = await site.post("/internal/search", search({ collection: "s", hydrated: 1 }));
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
    const { body } = await site.post("/internal/passages", { zone: "eu", classes: ["eu"], passages });
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
    expect((await found("s", { filter })).toSorted()).toEqual(expected);
  });

  it("filters by a passage id", async () => {
    expect(await found("s", { group_by: "passage", filter: { must: [{ has_id: ["s-da#2"] }] } })).toEqual([
      "s-da#2",
    ]);
  });

  it("answers the classes asked for alone (I4)", async () => {
    expect(await found("s", { classes: ["global"] })).toEqual(["s-en"]);
    expect(await found("s", { classes: [] })).toEqual([]);
  });

  it("refuses classes that may not pass through the zone that asks (I4)", async () => {
    const answer = await site.post("/internal/search", search({ zone: "global", classes: ["eu", "global"] }));
    expect(answer).toMatchObject({ status: 403, body: { code: "residency_refused" } });
    expect(await found("s", { zone: "global", classes: ["global"] })).toEqual(["s-en"]);
  });

  it("waits for a sequence that is on its way", async () => {
    const at = next();
    const waiting = found("s2", { min_sequence: String(at) });
    await new Promise((resolve) => setTimeout(resolve, 150));
    await apply([put({ id: "awaited", sequence: at, collection: "s2" })]);
    expect(await waiting).toEqual(["awaited"]);
  });

  it("says stale, with what it has, when the sequence does not come in time", async () => {
    const { body } = await site.post(
      "/internal/search",
      search({ collection: "s", min_sequence: String(sequence + 5), deadline_ms: 400 }),
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
    ["another model", vector({ model: "other" }), 400, "bad_vector"],
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
    const answer = await site.post("/internal/search", body ?? new Uint8Array([0x22, 0xff, 0xfe, 0x22]));
    expect(answer).toMatchObject({ status, body: { status, code } });
  });

  it("refuses a request without a token", async () => {
    const response = await fetch(`${site.url}/internal/watermark`);
    expect(response.status).toBe(401);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
  });

  it("answers an unknown route with not_found", async () => {
    expect(await site.get("/internal/elsewhere")).toMatchObject({ status: 404, body: { code: "not_found" } });
  });
});

describe("observing", () => {
  it("tells its metrics without any document's id", async () => {
    const { body } = await site.get("/metrics");
    expect(body).toContain("kattegat_regional_watermark_sequence");
    expect(body).not.toContain("s-da");
  });

  it("is ready while Qdrant answers (I7)", async () => {
    expect((await site.get("/readyz")).status).toBe(200);
  });
});
