import { searchResponseSchema, type SearchResponse } from "@kattegat/protocol/search.ts";
import { HEEDS_CACHE_SECONDS } from "@kattegat/engine/cold/removal.ts";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { law } from "../testing/corpus.fixture.ts";
import { startEdge, type EdgeHost } from "../testing/edge-host.fixture.ts";

let edge: EdgeHost;
beforeAll(async () => {
  edge = await startEdge();
});
afterAll(() => edge.close());
beforeEach(() => edge.reset());

const LAWS = [law("a", "frist for klage"), law("b", "klage over skat"), law("c", "noget helt andet")];

async function ask(body: object = {}, headers: Record<string, string> = {}): Promise<SearchResponse> {
  const response = await edge.search({ query: "frist for klage", tiers: ["cold"], ...body }, { headers });
  expect(response.status).toBe(200);
  return searchResponseSchema.parse(await response.json());
}
const ids = (answer: SearchResponse): string[] => answer.hits.map(({ document_id }) => document_id);
const globalReport = (answer: SearchResponse): SearchResponse["tiers"][number] | undefined =>
  answer.tiers.find(({ site }) => site === "edge-global");

describe("the cold tier", () => {
  it("says that it is unavailable before the first generation", async () => {
    const answer = await ask();
    expect(globalReport(answer)).toMatchObject({
      status: "unavailable",
      reason: "no generation has been published yet",
    });
    expect(answer.partial).toBe(true);
  });

  it("shows a new generation within a second of its publication, an erased document no longer", async () => {
    const manifest = await edge.publish("global", LAWS);
    await edge.publish("eu", []);
    expect(ids(await ask())[0]).toBe("a");
    expect(globalReport(await ask())?.cache).toBe("hit");
    const [segment] = manifest.segments;
    await edge.putManifest(
      "global",
      JSON.stringify({ ...manifest, generation: 2, segments: [{ ...segment, tombstones: ["a"] }] }),
    );
    await expect.poll(async () => ids(await ask()), { timeout: 5_000 }).not.toContain("a");
  });

  it("keeps results for the same question only, in each location of its own", async () => {
    await edge.publish("global", LAWS);
    await edge.publish("eu", []);
    expect(globalReport(await ask())?.cache).toBe("miss");
    expect(globalReport(await ask())?.cache).toBe("hit");
    expect(globalReport(await ask({ query: "skat" }))?.cache).toBe("miss");
    expect(globalReport(await ask({ filter: { must_not: [{ has_id: ["a"] }] } }))?.cache).toBe("miss");
    expect(globalReport(await ask({ offset: 50 }))?.cache).toBe("miss");
    expect(globalReport(await ask({}, { "x-kattegat-caller-colo": "SIN" }))?.cache).toBe("miss");
    expect(ids(await ask())).toEqual(ids(await ask({}, { "x-kattegat-caller-colo": "SIN" })));
  });

  it("reports a damaged segment, never a wrong answer (I13)", async () => {
    const manifest = await edge.publish("global", LAWS);
    await edge.publish("eu", [law("e", "frist", { residency: "eu" })]);
    await edge.putObject(
      "global",
      manifest.segments[0]?.key ?? "",
      new Uint8Array(manifest.segments[0]?.bytes ?? 0).fill(7),
    );
    const answer = await ask();
    expect(globalReport(answer)).toMatchObject({
      status: "unavailable",
      reason: "1 segments or pieces of the index could not be read",
      cache: "miss",
    });
    expect(answer.partial).toBe(true);
    expect(ids(answer)).toEqual(["e"]);
  });

  it("reports a manifest that cannot be read, a segment that is gone", async () => {
    await edge.publish("eu", []);
    await edge.putManifest("global", "{");
    expect(globalReport(await ask())?.status).toBe("unavailable");
    const manifest = await edge.publish("global", LAWS, {
      segments: [
        {
          key: "segments/gone.seg",
          bytes: 100,
          passages: 1,
          documents: 1,
          checksum: "00000000",
          tombstones: [],
        },
      ],
    });
    expect(manifest.segments).toHaveLength(1);
    expect(globalReport(await ask())).toMatchObject({
      status: "unavailable",
      reason: "1 segments or pieces of the index could not be read",
    });
  });

  it("says that the answer is partial when the words cannot be weighed", async () => {
    await edge.publish("global", LAWS);
    await edge.publish("eu", [], {
      statistics: { version: "9", key: "statistics/9.bin", checksum: "00000000" },
    });
    expect((await ask()).partial).toBe(true);
    expect((await ask({ mode: "dense" })).partial).toBe(false);
  });

  it("waits for the sequence asked for, then says that it is stale", async () => {
    const manifest = await edge.publish("global", LAWS);
    await edge.publish("eu", []);
    expect(globalReport(await ask({ min_sequence: "10" }))?.status).toBe("ok");
    const waiting = ask({ min_sequence: "11", timeout_ms: 3_000 });
    await edge.putManifest(
      "global",
      JSON.stringify({ ...manifest, watermark: { epoch: 1, sequence: "11" } }),
    );
    expect(globalReport(await waiting)).toMatchObject({ status: "ok", watermark: "11" });
    const answer = await ask({ min_sequence: "99", timeout_ms: 300 });
    expect(globalReport(answer)?.status).toBe("stale");
    expect(answer.partial).toBe(true);
    expect(ids(answer)).toContain("a");
  });

  it("never shows a class from a bucket that may not hold it (I4)", async () => {
    await edge.publish("global", [
      ...LAWS,
      law("smuggled", "frist for klage i unionen", { residency: "eu" }),
      law("danish", "frist for klage", { residency: "dk-only" }),
    ]);
    await edge.publish("eu", [law("danish", "frist for klage", { residency: "dk-only" })]);
    expect(ids(await ask()).toSorted()).toEqual(["a", "b", "c"]);
  });
});

describe("publishing", () => {
  async function put(
    path: string,
    body: string | Uint8Array,
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const type = {
      "content-length": String(Buffer.byteLength(body)),
      ...(await edge.siteHeaders("global")),
      ...headers,
    };
    return edge.fetch("global", path, { method: "PUT", headers: type, body });
  }
  const codeOf = async (response: Response): Promise<unknown> => {
    const problem: unknown = await response.json();
    return typeof problem === "object" && problem !== null && "code" in problem ? problem.code : null;
  };

  it("takes replication's token for this site, nobody else's", async () => {
    const get = async (headers: Record<string, string>): Promise<number> =>
      (await edge.fetch("global", "/internal/watermark", { headers })).status;
    expect(await get(await edge.siteHeaders("global"))).toBe(200);
    expect(await get(await edge.siteHeaders("eu"))).toBe(401);
    expect(await get({ authorization: "Bearer admin-key" })).toBe(401);
    expect(await get({})).toBe(401);
  });

  it("replaces exactly the manifest that the publisher has read (I12, I24)", async () => {
    const headers = await edge.siteHeaders("global");
    expect((await edge.fetch("global", "/internal/cold/manifest", { headers })).status).toBe(404);
    const manifest = await edge.publish("global", LAWS);
    const read = await edge.fetch("global", "/internal/cold/manifest", { headers });
    const etag = read.headers.get("etag") ?? "";
    expect(await read.json()).toEqual(manifest);
    const next = JSON.stringify({ ...manifest, generation: 2, watermark: { epoch: 1, sequence: "12" } });
    expect(await codeOf(await put("/internal/cold/manifest", next, { "if-none-match": "*" }))).toBe(
      "conflict",
    );
    expect(await codeOf(await put("/internal/cold/manifest", next, { "if-match": '"other"' }))).toBe(
      "conflict",
    );
    expect(await codeOf(await put("/internal/cold/manifest", next))).toBe("bad_request");
    const written = await put("/internal/cold/manifest", next, { "if-match": etag });
    expect(written.status).toBe(204);
    // Without it, replication reckons with caches of the largest age there is (I24).
    const { header, value } = HEEDS_CACHE_SECONDS;
    expect([read, written].map((answer) => answer.headers.get(header))).toEqual([value, value]);
    expect(await codeOf(await put("/internal/cold/manifest", next, { "if-match": etag }))).toBe("conflict");
    const again = await edge.fetch("global", "/internal/cold/manifest", { headers });
    expect(again.headers.get("etag")).toBe(written.headers.get("etag"));
    expect(await (await edge.fetch("global", "/internal/watermark", { headers })).json()).toMatchObject({
      site: "edge-global",
      watermark: { epoch: 1, sequence: "12" },
    });
  });

  it("lets one of two first publishers win (I12)", async () => {
    const manifest = JSON.stringify({ ...(await edge.publish("eu", LAWS)), segments: [], statistics: null });
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => put("/internal/cold/manifest", manifest, { "if-none-match": "*" })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409, 409, 409]);
  });

  it("refuses an earlier reign, a watermark that goes backwards (I8)", async () => {
    const manifest = await edge.publish("global", LAWS, { watermark: { epoch: 2, sequence: "10" } });
    const headers = await edge.siteHeaders("global");
    const etag =
      (await edge.fetch("global", "/internal/cold/manifest", { headers })).headers.get("etag") ?? "";
    const bodyWith = (watermark: object): string => JSON.stringify({ ...manifest, watermark });
    expect(
      await codeOf(
        await put("/internal/cold/manifest", bodyWith({ epoch: 1, sequence: "99" }), { "if-match": etag }),
      ),
    ).toBe("stale_epoch");
    expect(
      await codeOf(
        await put("/internal/cold/manifest", bodyWith({ epoch: 2, sequence: "9" }), { "if-match": etag }),
      ),
    ).toBe("divergence");
    expect(
      (await put("/internal/cold/manifest", bodyWith({ epoch: 2, sequence: "10" }), { "if-match": etag }))
        .status,
    ).toBe(204);
  });

  it("refuses a segment with a class that may not rest here, or that cannot be read (I5)", async () => {
    const legal = await edge.publish("global", LAWS);
    const headers = await edge.siteHeaders("global");
    const etag =
      (await edge.fetch("global", "/internal/cold/manifest", { headers })).headers.get("etag") ?? "";
    const illegal = await edge.publish("eu", [law("x", "frist", { residency: "eu" }), ...LAWS]);
    const key = illegal.segments[0]?.key ?? "";
    const bytes = new Uint8Array(
      await (
        await edge.fetch("eu", `/internal/cold/objects/${key}`, { headers: await edge.siteHeaders("eu") })
      ).arrayBuffer(),
    );
    expect((await put(`/internal/cold/objects/${key}`, bytes)).status).toBe(204);
    const publish = (segments: object[]): Promise<Response> =>
      put("/internal/cold/manifest", JSON.stringify({ ...legal, segments }), { "if-match": etag });
    expect(await codeOf(await publish([...legal.segments, ...illegal.segments]))).toBe("residency_refused");
    expect((await put("/internal/cold/objects/segments/damaged.seg", bytes.subarray(0, 50))).status).toBe(
      204,
    );
    expect(await codeOf(await publish([{ ...legal.segments[0], key: "segments/damaged.seg" }]))).toBe(
      "bad_request",
    );
    expect((await publish([...legal.segments])).status).toBe(204);
  });

  it("asks for an object again that another publisher has deleted, since no change in it is at fault (I15)", async () => {
    const headers = await edge.siteHeaders("global");
    const manifest = await edge.publish("global", LAWS);
    const current = await edge.fetch("global", "/internal/cold/manifest", { headers });
    const etag = current.headers.get("etag") ?? "";
    const segments = manifest.segments.map((segment) => ({ ...segment, key: "segments/missing.seg" }));
    const published = put("/internal/cold/manifest", JSON.stringify({ ...manifest, segments }), {
      "if-match": etag,
    });
    expect(await codeOf(await published)).toBe("conflict");
  });

  it("stores an object once, gives ranges of it, keeps what the manifest names", async () => {
    const headers = await edge.siteHeaders("global");
    const path = "/internal/cold/objects/segments/one.seg";
    expect((await put(path, "0123456789")).status).toBe(204);
    expect((await put(path, "0123456789")).status).toBe(204);
    expect(await codeOf(await put(path, "another"))).toBe("divergence");
    const range = await edge.fetch("global", path, { headers: { ...headers, range: "bytes=2-4" } });
    expect([range.status, await range.text()]).toEqual([206, "234"]);
    const empty = "/internal/cold/objects/embeddings/empty.rows";
    const digest = { "content-digest": "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:" };
    expect((await put(empty, "", { ...digest, "content-length": "0" })).status).toBe(204);
    const head = await edge.fetch("global", empty, { method: "HEAD", headers });
    expect([head.status, head.headers.get("repr-digest")]).toEqual([200, digest["content-digest"]]);
    expect((await edge.fetch("global", `${empty}x`, { method: "HEAD", headers })).status).toBe(404);
    expect(await codeOf(await put("/internal/cold/objects/elsewhere/one", "x"))).toBe("bad_request");
    expect(await codeOf(await put("/internal/cold/objects/segments/..%2Fmanifest.json", "x"))).toBe(
      "bad_request",
    );
    const manifest = await edge.publish("global", LAWS);
    const named = `/internal/cold/objects/${manifest.segments[0]?.key ?? ""}`;
    expect(await codeOf(await edge.fetch("global", named, { method: "DELETE", headers }))).toBe("conflict");
    expect((await edge.fetch("global", path, { method: "DELETE", headers })).status).toBe(204);
    expect((await edge.fetch("global", path, { headers })).status).toBe(404);
  });
});
