import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startRegional } from "./regional.fixture.ts";
import type { RegionalUnderTest } from "./regional.fixture.ts";
import { QdrantClient } from "@qdrant/js-client-rest";
import { passagePointId } from "./qdrant/point-id.ts";
import { leaning, put, search, skip, withdraw } from "./site.fixture.ts";

let regional: RegionalUnderTest;
beforeAll(async () => {
  regional = await startRegional();
});
afterAll(() => regional?.stop());

describe("applying changes", () => {
  it("finds a document after its put, with scores of both lists", async () => {
    const at = regional.next();
    const answer = await regional.apply([put({ id: "first", sequence: at, collection: "a1" })]);
    expect(answer).toEqual({
      status: 200,
      body: { watermark: { epoch: 1, sequence: String(at) }, refused: [] },
    });
    const { body } = await regional.site.post("/internal/search", search({ collection: "a1" }));
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
    const change = put({ id: "twice", sequence: regional.next(), collection: "a2", texts: ["one", "two"] });
    await regional.apply([change]);
    expect((await regional.apply([change])).status).toBe(200);
    expect(await regional.found("a2", { group_by: "passage" })).toEqual(["twice#1", "twice#2"]);
  });

  it("takes no batch that follows changes which it does not have, and stays where it was (I8)", async () => {
    const at = regional.next();
    await regional.apply([put({ id: "present", sequence: at, collection: "a2b" })]);
    const gap = put({ id: "beyond", sequence: at + 10, collection: "a2b" });
    const refused = await regional.apply([gap], { watermark: at + 10, after: at + 9 });
    expect(refused).toMatchObject({ status: 409, body: { code: "conflict" } });
    expect(await regional.found("a2b")).toEqual(["present"]);
    const { body } = await regional.site.get("/internal/watermark");
    expect(body.watermark.sequence).toBe(String(at));
    const next = regional.next();
    const followed = await regional.apply([put({ id: "next", sequence: next, collection: "a2b" })], {
      after: at,
    });
    expect(followed.status).toBe(200);
  });

  it("ignores a put that comes after a later one (I3)", async () => {
    const [early, late] = [regional.next(), regional.next()];
    await regional.apply([put({ id: "late", sequence: late, collection: "a3", texts: ["new"] })]);
    await regional.apply([put({ id: "late", sequence: early, collection: "a3", texts: ["old", "older"] })]);
    expect(await regional.found("a3", { group_by: "passage" })).toEqual(["late#1"]);
  });

  it("does not bring back a withdrawn document when an older put comes late (I3)", async () => {
    const [early, later] = [regional.next(), regional.next()];
    await regional.apply([withdraw("gone", later)]);
    await regional.apply([put({ id: "gone", sequence: early, collection: "a4" })]);
    expect(await regional.found("a4")).toEqual([]);
  });

  it("holds a document again that is put after its withdrawal", async () => {
    await regional.apply([
      put({ id: "again", sequence: regional.next(), collection: "a5", texts: ["1", "2", "3"] }),
    ]);
    await regional.apply([withdraw("again", regional.next())]);
    expect(await regional.found("a5")).toEqual([]);
    await regional.apply([put({ id: "again", sequence: regional.next(), collection: "a5", texts: ["1"] })]);
    expect(await regional.found("a5", { group_by: "passage" })).toEqual(["again#1"]);
  });

  it("removes the passages that a shorter version no longer has", async () => {
    await regional.apply([
      put({ id: "shrinks", sequence: regional.next(), collection: "a6", texts: ["1", "2", "3", "4"] }),
    ]);
    await regional.apply([
      put({ id: "shrinks", sequence: regional.next(), collection: "a6", texts: ["1", "2"] }),
    ]);
    expect(await regional.found("a6", { group_by: "passage" })).toEqual(["shrinks#1", "shrinks#2"]);
  });

  it("keeps the last of several changes to a document in one batch", async () => {
    const changes = [
      put({ id: "folded", sequence: regional.next(), collection: "a7", texts: ["1", "2", "3"] }),
      withdraw("folded", regional.next()),
      put({ id: "folded", sequence: regional.next(), collection: "a7", texts: ["1"] }),
      skip(regional.next()),
    ];
    await regional.apply(changes);
    expect(await regional.found("a7", { group_by: "passage" })).toEqual(["folded#1"]);
  });

  it("answers divergence for the same fence with other content, and applies nothing of the batch (I2)", async () => {
    const at = regional.next();
    await regional.apply([put({ id: "forked", sequence: at, collection: "a8" })]);
    const answer = await regional.apply([
      put({ id: "innocent", sequence: regional.next(), collection: "a8" }),
      put({ id: "forked", sequence: at, collection: "a8", digest: "other" }),
    ]);
    expect(answer).toMatchObject({ status: 409, body: { code: "divergence" } });
    expect(await regional.found("a8")).toEqual(["forked"]);
    expect((await regional.site.get("/internal/watermark")).body.watermark.sequence).toBe(String(at));
  });

  it("refuses a class that the site may not hold, goes on with the others, and drops an older copy (I5)", async () => {
    await regional.apply([put({ id: "recalled", sequence: regional.next(), collection: "a9" })]);
    const refusedAt = regional.next();
    const answer = await regional.apply([
      put({ id: "recalled", sequence: refusedAt, collection: "a9", residency: "dk-only" }),
      put({ id: "allowed", sequence: regional.next(), collection: "a9" }),
      put({ id: "unknown", sequence: regional.next(), collection: "a9", residency: "nowhere" }),
    ]);
    expect(answer.body.refused).toMatchObject([
      { sequence: String(refusedAt), code: "residency_refused" },
      { sequence: String(regional.sequence()), code: "residency_refused" },
    ]);
    expect(await regional.found("a9")).toEqual(["allowed"]);
  });

  it("refuses a passage whose vector does not fit, and goes on with the others (I15)", async () => {
    const bad = put({ id: "short", sequence: regional.next(), collection: "a10" });
    if (bad.kind === "put") for (const passage of bad.document.passages) passage.dense = "AACAPw==";
    const answer = await regional.apply([
      bad,
      put({ id: "sound", sequence: regional.next(), collection: "a10" }),
    ]);
    expect(answer.body.refused).toMatchObject([{ code: "bad_vector" }]);
    expect(await regional.found("a10")).toEqual(["sound"]);
  });

  it("never moves the watermark back (I8)", async () => {
    const at = regional.sequence();
    const answer = await regional.apply([], { watermark: at - 1, head: at });
    expect(answer.body.watermark).toEqual({ epoch: 1, sequence: String(at) });
    expect((await regional.site.get("/internal/watermark")).body).toMatchObject({
      site: "eu-fra",
      watermark: { epoch: 1, sequence: String(at) },
    });
  });

  it("stores documents of more passages than one request takes", async () => {
    const texts = Array.from({ length: 2_300 }, (_, index) => `passage ${index}`);
    await regional.apply([put({ id: "long", sequence: regional.next(), collection: "a11", texts })]);
    expect(await regional.found("a11", { group_by: "passage", candidates: 1_000 })).toHaveLength(1_000);
    await regional.apply([
      put({ id: "long", sequence: regional.next(), collection: "a11", texts: ["short now"] }),
    ]);
    expect(await regional.found("a11", { group_by: "passage", candidates: 1_000 })).toEqual(["long#1"]);
  });
});

describe("points that something else has written", () => {
  const strange = "00000000-0000-4000-8000-000000000001";

  async function store(): Promise<{ readonly client: QdrantClient; readonly passages: string }> {
    const client = new QdrantClient({ url: regional.qdrantUrl, checkCompatibility: false });
    const { collections } = await client.getCollections();
    return {
      client,
      passages: collections.find(({ name }) => name.startsWith("kattegat_passages"))?.name ?? "",
    };
  }

  /** Points under an id that nobody computes, and in the place of the document's own first. */
  async function plant(id: string, collection: string): Promise<void> {
    const { client, passages } = await store();
    const dense = [...leaning(0, 0)];
    const shown = { title: "", text: "", metadata: {}, lang: null };
    const place = { document_id: id, ordinal: 1, collection, residency: "eu", tier: "warm", version: "1" };
    const payload = { ...place, ...shown };
    const points = [strange, passagePointId(id, 1)].map((point) => ({
      id: point,
      vector: { dense, lexical: { indices: [7], values: [1] } },
      payload,
    }));
    await client.upsert(passages, { wait: true, points });
  }

  it("are withdrawn with a document that the site has no note of (I9, I23)", async () => {
    await regional.apply([put({ id: "planned", sequence: regional.next(), collection: "p0" })]);
    await plant("unplanned", "p1");
    expect(await regional.found("p1", { group_by: "passage" })).toHaveLength(2);
    const answer = await regional.apply([withdraw("unplanned", regional.next())]);
    expect(answer.status).toBe(200);
    expect(await regional.found("p1")).toEqual([]);
  });

  it("are removed when a document comes again that the site has by its notes (I23)", async () => {
    const document = { id: "doubted", collection: "p2", digest: "same", texts: ["one", "two"] };
    await regional.apply([put({ ...document, sequence: regional.next() })]);
    const { client, passages } = await store();
    await plant("doubted", "p2");
    await client.delete(passages, { wait: true, points: [passagePointId("doubted", 1)] });
    await regional.apply([put({ ...document, sequence: regional.next() })]);
    // The note went with the first passage, so the copy is written as a new one; sent once more, it is doubted.
    await regional.apply([put({ ...document, sequence: regional.next() })]);
    expect((await regional.found("p2", { group_by: "passage" })).toSorted()).toEqual([
      "doubted#1",
      "doubted#2",
    ]);
    const { points } = await client.scroll(passages, {
      filter: { must: [{ key: "document_id", match: { value: "doubted" } }] },
    });
    expect(points).toHaveLength(2);
  });
});

describe("large documents", () => {
  it("are stored in requests that Qdrant takes, though metadata rides on every passage", async () => {
    const metadata = { notes: "n".repeat(30_000) };
    const texts = Array.from({ length: 900 }, (_, index) => `${index} `.repeat(3_000));
    const answer = await regional.apply([
      put({ id: "heavy", sequence: regional.next(), collection: "h", metadata, texts }),
    ]);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    expect(await regional.found("h", { group_by: "passage", candidates: 1_000, hydrated: 0 })).toHaveLength(
      900,
    );
  });
});

describe("observing", () => {
  it("tells its metrics without any document's id", async () => {
    const { body } = await regional.site.get("/metrics");
    expect(body).toContain("kattegat_regional_watermark_sequence");
    expect(body).not.toContain("forked");
  });

  it("is ready while Qdrant answers (I7)", async () => {
    expect((await regional.site.get("/readyz")).status).toBe(200);
  });
});
