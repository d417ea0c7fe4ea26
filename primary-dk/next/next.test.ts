import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Network } from "@kattegat/config/network.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { toCanonical } from "@kattegat/engine/vector/canonical.ts";
import { decodeFloats, encodeFloats } from "@kattegat/protocol/base64.ts";
import type { SiteSearchResponse } from "@kattegat/protocol/site-search.ts";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { startPostgres, type PostgresFixture } from "../postgres.fixture.ts";
import { network, startPrimary, type TestPrimary } from "../primary.fixture.ts";
import { SEAL_BYTES } from "../sealing/seal.ts";

const SERVING = "hashed-384-v1";
const NEXT = { provider: "hashed", model: "hashed-256-v1", dimensions: 256 } as const;
const OTHER = { provider: "hashed", model: "hashed-64-v1", dimensions: 64 } as const;
const preparing: Network = { ...network, embedding: { ...network.embedding, next: NEXT } };
const adopted: Network = { ...network, embedding: NEXT };

let postgres: PostgresFixture;
const running = new Set<TestPrimary>();
beforeAll(async () => {
  postgres = await startPostgres();
});
afterEach(async () => {
  await Promise.all([...running].map(stop));
});
afterAll(() => postgres.stop());

async function start(url: string, options: Parameters<typeof startPrimary>[1]): Promise<TestPrimary> {
  const test = await startPrimary(url, options);
  running.add(test);
  return test;
}

async function stop(test: TestPrimary): Promise<void> {
  if (running.delete(test)) await test.close();
}

const law = (text: string, more: object = {}) => ({
  title: "Lov",
  text,
  residency: "global",
  tier: "hot",
  ...more,
});

/** Writes so many laws at once. */
async function fill({ client }: TestPrimary, count: number, lawOf: (index: number) => object): Promise<void> {
  const lines = Array.from({ length: count }, (_, index) => ({ id: `d${index}`, ...lawOf(index) }));
  expect((await client.batch(lines)).every(({ status }) => status === 201)).toBe(true);
}

async function round({ primary }: TestPrimary): Promise<void> {
  await primary.next?.round(primary.nextBaseUpkeep);
}

async function prepared(test: TestPrimary): Promise<void> {
  for (let left = 200; left > 0 && test.primary.next?.missing !== null; left -= 1) await round(test);
  expect(test.primary.next?.missing).toBeNull();
}

async function searchNext(
  { client }: TestPrimary,
  query: string,
  { dimensions, model }: { readonly dimensions: number; readonly model: string } = NEXT,
): Promise<SiteSearchResponse> {
  const [dense] = await createHashedEmbedder({ dimensions }).embed([query], "query");
  return await client.search(query, { model, dense: dense === undefined ? null : encodeFloats(dense) });
}

const idsIn = ({ dense }: SiteSearchResponse): string[] =>
  dense.map(({ document_id }) => document_id).toSorted();

/** What the log brings a target, folded: the vector of each document's first passage. */
async function copies(test: TestPrimary, target: string, model: string): Promise<Map<string, Float32Array>> {
  const held = new Map<string, Float32Array>();
  for (let after = "0"; ;) {
    const { changes } = await test.client.feed(target, after, { model });
    for (const change of changes) {
      if (change.kind === "skip") continue;
      const [first] = change.kind === "put" ? change.document.passages : [];
      if (first === undefined) held.delete(change.document_id);
      else held.set(change.document_id, decodeFloats(first.dense));
    }
    const last = changes.at(-1);
    if (last === undefined) return held;
    after = last.sequence;
  }
}

async function vectorOf(text: string, dimensions: number): Promise<Float32Array> {
  const [made] = await createHashedEmbedder({ dimensions }).embed([text], "passage");
  return toCanonical(made ?? new Float32Array());
}

describe("a model to come at the primary", () => {
  it("is asked for only when every passage has its vector, and never answers for the one that serves (I18)", async () => {
    const url = await postgres.database();
    const before = await start(url, {});
    await fill(before, 70, (index) => law(`Frist for klage nummer${index}`));
    await stop(before);
    const test = await start(url, { network: preparing });
    await round(test);
    expect(await searchNext(test, "frist")).toMatchObject({ model: null, ready: [SERVING], dense: [] });
    expect((await test.client.search("frist")).model).toBe(SERVING);
    await prepared(test);
    const next = await searchNext(test, "frist for klage nummer7");
    expect([next.model, next.ready]).toEqual([NEXT.model, [SERVING, NEXT.model]]);
    expect(next.dense).toHaveLength(70);
    expect(next.dense[0]).toMatchObject({ document_id: "d7", content: { title: "Lov" } });
    const serving = await test.client.search("frist for klage nummer7");
    expect([serving.model, serving.dense[0]?.document_id]).toEqual([SERVING, "d7"]);
    expect(serving.dense[0]?.score).not.toBe(next.dense[0]?.score);
    expect(test.errors).toEqual([]);
  });

  it("holds its log back before the first document without a vector, and says from where on it is whole", async () => {
    const url = await postgres.database();
    const before = await start(url, {});
    await fill(before, 70, (index) => law(`Lov ${index}`, { tier: "warm" }));
    await stop(before);
    const test = await start(url, { network: preparing });
    const feed = () => test.client.feed("eu-fra", "0", { model: NEXT.model });
    expect(await feed()).toMatchObject({ changes: [], head: { sequence: "70", whole_at: null } });
    await round(test);
    await round(test);
    const half = await feed();
    expect(half.changes.at(-1)?.sequence).toBe("64");
    expect(half.head).toMatchObject({ model: NEXT.model, whole_at: null, models: [SERVING, NEXT.model] });
    await prepared(test);
    expect((await feed()).head.whole_at).toBe("70");
    expect((await feed()).changes).toHaveLength(70);
    expect((await test.client.feed("eu-fra", "0")).head).not.toHaveProperty("whole_at");
    const unknown = await test.client.send("/internal/changes?target=eu-fra&after=0&model=foo");
    expect([unknown.status, (await unknown.json()).code]).toEqual([503, "not_ready"]);
  });

  it("has what is written, changed, moved and deleted meanwhile in both copies (I3)", async () => {
    const url = await postgres.database();
    const before = await start(url, {});
    await fill(before, 70, (index) => law(`Lov nummer${index}`, { tier: index % 2 === 0 ? "hot" : "warm" }));
    await stop(before);
    const test = await start(url, { network: preparing });
    const { client } = test;
    await round(test);
    const steps = [
      () => client.put("d1", law("En anden tekst", { tier: "warm" })),
      () => client.put("new", law("En ny lov", { tier: "hot" })),
      () => client.put("d68", law("Lov nummer68", { tier: "warm" })),
      () => client.put("d69", law("Lov nummer69", { tier: "hot" })),
      () => client.send("/internal/documents/d2", { method: "DELETE" }),
      () => client.send("/internal/documents/d67", { method: "DELETE" }),
    ];
    for (const step of steps) {
      expect((await step()).status).toBeLessThan(300);
      await round(test);
    }
    await prepared(test);
    expect((await client.put("late", law("En sen lov", { tier: "hot" }))).status).toBe(201);
    const hot = idsIn(await client.search("lov", { tiers: ["hot"] }));
    expect(hot).toContain("late");
    expect(hot).not.toContain("d2");
    expect(idsIn(await searchNext(test, "lov")).filter((id) => !hot.includes(id) && id !== "d68")).toEqual(
      [],
    );
    expect(await searchNext(test, "lov")).toMatchObject({ model: NEXT.model });
    const [serving, next] = [await copies(test, "eu-fra", SERVING), await copies(test, "eu-fra", NEXT.model)];
    expect([...next.keys()].toSorted()).toEqual([...serving.keys()].toSorted());
    expect(next.get("d1")).toEqual(await vectorOf("En anden tekst", 256));
    expect(serving.get("d1")).toEqual(await vectorOf("En anden tekst", 384));
    expect(next.get("d3")).toEqual(await vectorOf("Lov nummer3", 256));
    expect(test.errors).toEqual([]);
  });

  it("has what is written, moved and deleted while its index is filled (I3)", async () => {
    const url = await postgres.database();
    const before = await start(url, {});
    await fill(before, 200, (index) => law(`Lov nummer${index}`, { tier: index % 2 === 0 ? "hot" : "warm" }));
    await stop(before);
    const first = await start(url, { network: preparing });
    await prepared(first);
    await stop(first);
    const test = await start(url, { network: preparing });
    const { client, primary } = test;
    while (primary.next?.index === null) await round(test);
    expect(primary.next?.missing).toMatch(/^\d+ documents are still to be indexed$/);
    // None of them waits for the filling, nor is undone by it: the round reads while they are written.
    const steps = [
      client.put("d190", law("En anden tekst", { tier: "hot" })),
      client.put("d192", law("Lov nummer192", { tier: "warm" })),
      client.put("d191", law("Lov nummer191", { tier: "hot" })),
      client.put("new", law("En ny lov", { tier: "hot" })),
      client.send("/internal/documents/d194", { method: "DELETE" }),
      client.send("/internal/documents/d0", { method: "DELETE" }),
      client.put("d2", law("En tredje tekst", { tier: "hot" })),
    ];
    await Promise.all([...steps, prepared(test)]);
    const tiers = ["hot" as const];
    const dense = encodeFloats(createHashedEmbedder({ dimensions: 256 }).embedSync("lov"));
    const next = await client.search("lov", { model: NEXT.model, dense, tiers, candidates: 1_000 });
    expect(next.model).toBe(NEXT.model);
    expect(idsIn(next)).toEqual(idsIn(await client.search("lov", { tiers, candidates: 1_000 })));
    const [asked] = await createHashedEmbedder({ dimensions: 256 }).embed(["En anden tekst"], "query");
    const found = await client.search("x", {
      model: NEXT.model,
      dense: encodeFloats(asked ?? new Float32Array()),
    });
    expect(found.dense[0]).toMatchObject({ document_id: "d190", score: expect.closeTo(1, 2) });
    await primary.next?.restart();
    expect((await searchNext(test, "lov")).model).toBeNull();
    await prepared(test);
    const again = await client.search("lov", { model: NEXT.model, dense, tiers, candidates: 1_000 });
    expect(idsIn(again)).toEqual(idsIn(next));
    expect(test.errors).toEqual([]);
  });

  it("goes on from Postgres after a restart, with its index filled again", async () => {
    const url = await postgres.database();
    const first = await start(url, {});
    await fill(first, 70, (index) => law(`Lov ${index}`));
    await stop(first);
    const second = await start(url, { network: preparing });
    await round(second);
    await stop(second);
    const third = await start(url, { network: preparing });
    const { sql } = third.primary.database;
    const lacking = async () =>
      (await sql`select count(*)::int from passages where dense_next is null`)[0]?.["count"];
    expect(await lacking()).toBe(6);
    await prepared(third);
    await stop(third);
    const fourth = await start(url, { network: preparing });
    expect(fourth.primary.next?.missing).toBe("its index is being made");
    await prepared(fourth);
    expect((await searchNext(fourth, "lov")).dense).toHaveLength(70);
  });

  it("keeps cold passages that no edge may hold in a base of its own, which serves after the adoption", async () => {
    const url = await postgres.database();
    const folder = await mkdtemp(join(tmpdir(), "kattegat-next-"));
    const cold = { folder, basePassagesMin: 20 };
    const first = await start(url, { cold });
    await fill(first, 40, (index) => law(`Kold lov ${index}`, { residency: "dk-only", tier: "cold" }));
    await stop(first);
    const second = await start(url, { cold, network: preparing });
    await prepared(second);
    expect(second.primary.next?.index?.base?.documents).toBe(40);
    expect((await searchNext(second, "kold lov")).dense).toHaveLength(40);
    expect(
      (await second.client.put("d1", law("Anden tekst", { residency: "dk-only", tier: "cold" }))).ok,
    ).toBe(true);
    expect(second.primary.next?.index?.base?.documents).toBe(39);
    expect((await searchNext(second, "anden tekst")).dense[0]?.document_id).toBe("d1");
    await stop(second);
    const third = await start(url, { cold, network: adopted });
    expect(third.primary.memory().index.base?.documents).toBe(39);
    expect((await searchNext(third, "anden tekst")).dense[0]?.document_id).toBe("d1");
    expect((await readdir(folder)).toSorted()).toEqual(["cold"]);
    await stop(third);
    await rm(folder, { recursive: true });
  });
});

describe("a model to come whose endpoint fails", () => {
  it("holds no write up: its vectors are made when it is back, its log waits for them", async () => {
    let isUp = true;
    const answers: boolean[] = [];
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        answers.push(isUp);
        if (!isUp) return void response.writeHead(503).end("{}");
        const { input } = z
          .object({ input: z.array(z.string()) })
          .parse(JSON.parse(Buffer.concat(parts).toString()));
        const data = input.map((text, index) => ({
          index,
          embedding: Array.from({ length: 8 }, (_, at) => (at === text.length % 8 ? 1 : 0.1)),
        }));
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ data }));
      });
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const next = {
      provider: "openai",
      model: "e",
      dimensions: 8,
      url: `http://127.0.0.1:${port}/v1`,
    } as const;
    const clock = { ms: Date.now() };
    const test = await start(await postgres.database(), {
      network: { ...network, embedding: { ...network.embedding, next } },
      now: () => clock.ms,
    });
    await test.client.put("a", law("Frist for klage"));
    await prepared(test);
    isUp = false;
    expect((await test.client.put("b", law("Skat af ejendom"))).status).toBe(201);
    expect((await test.client.put("c", law("Skat", { tier: "warm" }))).status).toBe(201);
    // Only the first of them asked.
    expect(answers.filter((up) => !up)).toHaveLength(1);
    expect((await test.client.search("skat")).dense).toHaveLength(2);
    const asked = await test.client.search("x", {
      model: "e",
      dense: encodeFloats(new Float32Array(8).fill(0.3)),
    });
    expect([asked.model, test.primary.next?.missing]).toEqual([null, "1 documents are still to be indexed"]);
    expect(
      (await test.client.feed("eu-fra", "0", { model: "e" })).changes.map(({ sequence }) => sequence),
    ).toEqual(["1"]);
    await round(test);
    isUp = true;
    clock.ms += 10_001;
    await prepared(test);
    for (let left = 5; left > 0; left -= 1) await round(test);
    expect((await test.client.feed("eu-fra", "0", { model: "e" })).changes.at(-1)).toMatchObject({
      kind: "put",
      document_id: "c",
    });
    expect((await test.client.put("d", law("En til"))).status).toBe(201);
    expect(test.primary.next?.missing).toBeNull();
    server.closeAllConnections();
    server.close();
  });
});

describe("what waits for the copies of both models", () => {
  async function confirm(test: TestPrimary, sequence: string, model: string): Promise<void> {
    const watermark = { epoch: 1, sequence };
    for (const site of ["eu-fra", "eu-arn"])
      await test.primary.confirmations.confirm({
        site,
        model,
        watermark,
        removed: watermark,
        lag_ms: 0,
        lag_changes: 0,
        parked: 0,
        healthy: true,
      });
  }

  it("is the receipt of an erasure", async () => {
    const test = await start(await postgres.database(), { network: preparing });
    await test.client.put("a", law("Frist", { tier: "warm" }));
    await prepared(test);
    await confirm(test, "1", SERVING);
    await confirm(test, "1", NEXT.model);
    const deleted = await test.client.send("/internal/documents/a", { method: "DELETE" });
    const { receipt } = z.object({ receipt: z.string() }).parse(await deleted.json());
    const completedAt = async () =>
      z
        .object({ completed_at: z.string().nullable() })
        .parse(await (await test.client.send(receipt.replace("/v1/", "/internal/"))).json()).completed_at;
    await confirm(test, "2", SERVING);
    expect(await completedAt()).toBeNull();
    await test.primary.keyRotation.round();
    await test.primary.ownRemoval.round();
    expect(await completedAt()).toBeNull();
    await confirm(test, "2", NEXT.model);
    expect(await completedAt()).toBeNull();
    // It has no copies of a model: one confirmation is all that comes from it.
    const gone = { epoch: 1, sequence: "2" };
    const archive = { site: "archive-dk", lag_ms: 0, lag_changes: 0, parked: 0, healthy: true };
    await test.primary.confirmations.confirm({ ...archive, model: SERVING, watermark: gone, removed: gone });
    expect(await completedAt()).not.toBeNull();
  });

  it("is the end of a move, once searches may ask for the one to come (I10)", async () => {
    const test = await start(await postgres.database(), { network: preparing });
    const { confirmations, writer } = test.primary;
    await test.client.put("a", law("Frist", { tier: "hot" }));
    await prepared(test);
    await confirm(test, "1", SERVING);
    await confirm(test, "1", NEXT.model);
    await test.client.put("a", law("Frist", { tier: "warm" }));
    await confirm(test, "2", SERVING);
    expect(await confirmations.settle(writer)).toBe(0);
    await confirm(test, "2", NEXT.model);
    expect(await confirmations.settle(writer)).toBe(1);
  });

  it("is no move while the copies of the one to come are not whole", async () => {
    const test = await start(await postgres.database(), { network: preparing });
    const { confirmations, writer } = test.primary;
    await test.client.put("a", law("Frist", { tier: "hot" }));
    await test.client.put("a", law("Frist", { tier: "warm" }));
    await confirm(test, "2", SERVING);
    expect(await confirmations.settle(writer)).toBe(1);
  });
});

describe("the change to a model that was prepared", () => {
  it("is made by naming it: its vectors serve, those before are gone, and nothing is embedded again (I18)", async () => {
    const url = await postgres.database();
    const first = await start(url, {});
    for (let index = 0; index < 3; index += 1) await first.client.put(`d${index}`, law(`Lov nummer${index}`));
    await stop(first);
    const second = await start(url, { network: preparing });
    await prepared(second);
    const { primary } = second;
    await primary.confirmations.confirm({
      site: "eu-fra",
      watermark: { epoch: 1, sequence: "3" },
      lag_ms: 0,
      lag_changes: 0,
      parked: 0,
      healthy: true,
    });
    await stop(second);
    const third = await start(url, { network: adopted });
    expect((await searchNext(third, "lov nummer2")).dense[0]?.document_id).toBe("d2");
    expect(await third.client.search("lov")).toMatchObject({ model: null, ready: [NEXT.model] });
    const { sql } = third.primary.database;
    const rows = await sql`select octet_length(dense) as bytes, dense_next from passages`;
    expect([...new Set(rows.map((row) => `${row["bytes"]} ${row["dense_next"]}`))]).toEqual([
      `${SEAL_BYTES + 1024} null`,
    ]);
    expect(await sql`select from targets`).toHaveLength(0);
    expect([...(await sql`select model, rewrite_due from embedding_model`)]).toEqual([
      { model: NEXT.model, rewrite_due: false },
    ]);
    await third.client.put("d3", law("Lov nummer3"));
    await stop(third);
    await expect(startPrimary(url)).rejects.toThrow("was embedded by hashed-256-v1");
  });

  it("is refused before every passage has its vector, saying how many have (I18)", async () => {
    const url = await postgres.database();
    const first = await start(url, {});
    await fill(first, 70, (index) => law(`Lov ${index}`));
    await stop(first);
    const second = await start(url, { network: preparing });
    await round(second);
    await stop(second);
    await expect(startPrimary(url, { network: adopted })).rejects.toThrow(
      "The second is not prepared yet: 64 of 70 passages are embedded. Name the first again with it as its next",
    );
    const again = await start(url, { network: preparing });
    await prepared(again);
  });

  it("is given up when the network file names no next model, or another", async () => {
    const url = await postgres.database();
    const first = await start(url, { network: preparing });
    await first.client.put("a", law("Frist for klage"));
    await prepared(first);
    await stop(first);
    const other = await start(url, {
      network: { ...network, embedding: { ...network.embedding, next: OTHER } },
    });
    expect((await searchNext(other, "frist")).model).toBeNull();
    await prepared(other);
    expect((await searchNext(other, "frist", OTHER)).dense).toHaveLength(1);
    await stop(other);
    const none = await start(url, {});
    const { sql } = none.primary.database;
    expect(await sql`select from passages where dense_next is not null`).toHaveLength(0);
    expect(await sql`select from embedding_next`).toHaveLength(0);
    expect((await none.client.search("frist")).dense).toHaveLength(1);
  });
});
