import { encodeNumbers } from "@kattegat/engine/cold/numbers.ts";
import { emptyManifest } from "@kattegat/engine/cold/manifest.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import { createTokenSigner } from "@kattegat/protocol/token-signer.ts";
import { createTokenVerifier } from "@kattegat/protocol/token-verifier.ts";
import fc from "fast-check";
import { exportJWK, generateKeyPair } from "jose";
import { describe, expect, it } from "vitest";
import { createApp } from "./app.ts";
import { backoffMs, DELAY_MS_MAX } from "./backoff.ts";
import { createColdTable } from "./cold-table.ts";
import { put, skip } from "./fakes.fixture.ts";
import { readFeed } from "./feed.ts";
import { createMetrics } from "./metrics.ts";
import { createParking } from "./parking.ts";
import { unreadiness } from "./readiness.ts";
import { runStream } from "./run-stream.ts";
import { readSettings } from "./settings.ts";
import { createStreamMonitor, type StreamStatus } from "./stream-status.ts";
import { createTimeline } from "./timeline.ts";

const head = {
  kind: "head",
  epoch: 1,
  sequence: "2",
  at: "2027-01-01T00:00:00.000Z",
  model: "hashed-384-v1",
  statistics_version: null,
} as const;
const ndjson = (lines: readonly unknown[]): Uint8Array =>
  new TextEncoder().encode(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
async function* chunksOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe("the feed's reader", () => {
  it("reads the same from pieces of any size", async () => {
    const bytes = ndjson([put(1, { text: "æøå § 12 €" }), skip(2), head]);
    const whole = await readFeed(chunksOf(bytes, bytes.length));
    expect(whole).toEqual({ changes: [put(1, { text: "æøå § 12 €" }), skip(2)], head });
    for (const size of [1, 2, 3, 7, 64]) expect(await readFeed(chunksOf(bytes, size))).toEqual(whole);
  });

  it("believes no answer that was cut, wherever the cut is", async () => {
    const bytes = ndjson([put(1), skip(2), head]);
    for (let end = 0; end < bytes.length; end += 13) {
      await expect(readFeed(chunksOf(bytes.subarray(0, end), 50))).rejects.toMatchObject({
        name: "KattegatError",
      });
    }
    await expect(readFeed(chunksOf(bytes.subarray(0, bytes.length - 1), 50))).rejects.toMatchObject({
      code: "unavailable",
    });
  });

  it("refuses a line after the head", async () => {
    await expect(readFeed(chunksOf(ndjson([head, skip(3)]), 50))).rejects.toMatchObject({ code: "internal" });
  });
});

describe("backoff", () => {
  it("stays between zero and a ceiling that doubles up to its bound", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (failures, random) => {
          const ms = backoffMs({ failures, random: () => random });
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThanOrEqual(
            Math.min(DELAY_MS_MAX, 100 * 2 ** Math.min(20, Math.max(0, failures - 1))),
          );
        },
      ),
    );
  });
});

describe("the timeline", () => {
  const time = (ms: number): string => new Date(ms).toISOString();

  it("gives the first commit after a sequence, whatever order it was told in", () => {
    const timeline = createTimeline();
    for (const sequence of [30, 10, 20]) timeline.observe(String(sequence), time(sequence * 1_000));
    expect([
      timeline.firstAfterMs("5"),
      timeline.firstAfterMs("10"),
      timeline.firstAfterMs("30"),
      timeline.head(),
    ]).toEqual([10_000, 20_000, null, "30"]);
  });

  it("forgets the middle, never the head, of a long outage", () => {
    const timeline = createTimeline();
    for (let sequence = 1; sequence <= 5_000; sequence += 1)
      timeline.observe(String(sequence), time(sequence * 1_000));
    expect(timeline.head()).toBe("5000");
    expect(timeline.firstAfterMs("1")).toBeLessThan(40_000);
  });
});

describe("lag", () => {
  it("is 0 at the head, else the age of the first commit that is not stored", () => {
    const timeline = createTimeline();
    const silent = { warn: () => undefined, error: () => undefined, info: () => undefined };
    const monitor = createStreamMonitor({
      target: { site: "eu-fra", model: "hashed-384-v1", isNext: false },
      timeline,
      now: () => 10_000,
      log: silent,
      answers: () => true,
      removed: () => null,
      changed: () => undefined,
    });
    expect(monitor.status()).toMatchObject({ lag_ms: null, lag_changes: null });
    timeline.observe("5", new Date(4_000).toISOString());
    timeline.observe("9", new Date(9_000).toISOString());
    const at = (sequence: string) => ({ epoch: 1, sequence });
    const event = { name: "delay-passed" } as const;
    monitor.moved({ name: "waiting", progress: { watermark: at("4"), position: at("9") } }, event);
    expect(monitor.status()).toMatchObject({ lag_ms: 6_000, lag_changes: 5 });
    monitor.moved({ name: "waiting", progress: { watermark: at("9"), position: at("9") } }, event);
    expect(monitor.status()).toMatchObject({ lag_ms: 0, lag_changes: 0 });
  });
});

describe("the cold table", () => {
  const segment = (key: string, tombstones: readonly string[] = []) => ({
    key,
    bytes: 1,
    passages: 2,
    documents: 2,
    checksum: "00000000",
    tombstones,
  });
  const manifestOf = (...segments: readonly ReturnType<typeof segment>[]) => ({
    ...emptyManifest({ model: "m", dimensions: 8 }),
    segments,
  });
  const never = new AbortController().signal;

  it("follows segments as they come, are hidden in part, or go, reading each once", async () => {
    const reads: string[] = [];
    const table = createColdTable({
      base: () => Promise.reject(new Error("there is no base")),
      segment: ({ key }) => {
        reads.push(key);
        return Promise.resolve(["a", "b"].map((documentId) => ({ documentId, version: key })));
      },
    });
    const held = (...ids: string[]) => ids.map((id) => table.copyOf(id)?.segment ?? null);
    await table.sync(manifestOf(segment("1")), never);
    expect(held("a", "b", "c")).toEqual(["1", "1", null]);
    expect(table.copyOf("b")).toEqual({ segment: "1", version: "1", number: 1 });
    await table.sync(manifestOf(segment("1", ["a"])), never);
    expect(held("a", "b")).toEqual([null, "1"]);
    await table.sync(manifestOf(segment("1", ["a", "b"]), segment("2")), never);
    expect(held("a", "b")).toEqual(["2", "2"]);
    table.learn("3", [{ documentId: "b", version: "3" }]);
    await table.sync(manifestOf(segment("3")), never);
    expect(held("a", "b")).toEqual([null, "3"]);
    expect(reads).toEqual(["1", "2"]);
  });

  it("knows the documents of a base by their numbers, without those that it hides", async () => {
    const base = {
      key: "bases/1",
      root: { bytes: 1, checksum: "00000000" },
      volumes: { codes: 0, rows: 0, postings: 0, columns: 0 },
      passages: 3,
      documents: 3,
      tombstones: encodeNumbers([1]),
      dead: 1,
    };
    const table = createColdTable({
      base: () => Promise.resolve(["a", "b", "c"].map((documentId) => ({ documentId, version: "1" }))),
      segment: ({ key }) => Promise.resolve([{ documentId: "b", version: key }]),
    });
    await table.sync({ ...manifestOf(segment("2")), base }, never);
    expect(table.copyOf("a")).toEqual({ segment: "bases/1", version: "1", number: 0 });
    expect(table.copyOf("b")).toEqual({ segment: "2", version: "2", number: 0 });
    await table.sync(
      { ...manifestOf(segment("2")), base: { ...base, tombstones: encodeNumbers([1, 2]), dead: 2 } },
      never,
    );
    expect(table.copyOf("c")).toBeNull();
    expect(table.copyOf("b")?.segment).toBe("2");
  });
});

describe("parking", () => {
  const changeOf = (fence: Fence) => ({ ...fence, code: "bad_vector", detail: "", at: "" });

  it("counts a change once, keeps the newest within its bound", () => {
    const parking = createParking();
    const change = (sequence: number) => changeOf({ epoch: 1, sequence: String(sequence) });
    for (let sequence = 1; sequence <= 500; sequence += 1) {
      parking.park(change(sequence));
      parking.park(change(sequence));
    }
    expect([parking.count, parking.newest.length, parking.newest[0]?.sequence]).toEqual([500, 200, "500"]);
  });

  it("tells a change of a lost reign from the one that has its sequence since (I2)", () => {
    const parking = createParking();
    parking.park(changeOf({ epoch: 1, sequence: "9" }));
    parking.park(changeOf({ epoch: 2, sequence: "9" }));
    expect(parking.count).toBe(2);
    expect(parking.untold.map(({ epoch }) => epoch)).toEqual([1, 2]);
    parking.told(parking.untold.slice(0, 1));
    expect(parking.untold.map(({ epoch }) => epoch)).toEqual([2]);
  });
});

it("halts when a target says that it refused a withdraw (I9)", async () => {
  const parked: string[] = [];
  const state = await runStream(
    {
      target: {
        site: "t",
        model: "m",
        isNext: false,
        restMs: 0,
        watermark: () => Promise.resolve({ epoch: 1, sequence: "0" }),
        removed: () => Promise.resolve(null),
        apply: ({ position }) =>
          Promise.resolve({
            watermark: position,
            refused: [{ sequence: "1", code: "internal", detail: "no" }],
          }),
      },
      feed: {
        changes: () =>
          Promise.resolve({
            changes: [
              {
                kind: "withdraw",
                epoch: 1,
                sequence: "1",
                committed_at: head.at,
                document_id: "d",
                reason: "deleted",
              },
            ],
            head,
          }),
      },
      random: () => 0,
      sleep: () => Promise.resolve(),
      observer: {
        moved: () => undefined,
        read: () => undefined,
        applied: () => undefined,
        parked: ({ sequence }) => parked.push(sequence),
        refusedWrongly: () => undefined,
        surprised: () => undefined,
      },
    },
    new AbortController().signal,
  );
  expect(state).toMatchObject({ name: "halted", code: "divergence" });
  expect(parked).toEqual([]);
});

const stream = (part: Partial<StreamStatus>): StreamStatus => ({
  site: "eu-fra",
  model: "hashed-384-v1",
  is_next: false,
  state: "waiting",
  answers: true,
  watermark: { epoch: 1, sequence: "7" },
  removed: null,
  lag_changes: 0,
  lag_ms: 0,
  applied: 3,
  retries: 1,
  parked: 2,
  parked_newest: [],
  wrong_refusals: 1,
  code: null,
  detail: null,
  ...part,
});

describe("readiness (I7)", () => {
  it.each([
    { part: {}, reason: null },
    { part: { lag_ms: 1_000 }, reason: null },
    {
      part: { lag_ms: 1_001, lag_changes: 4 },
      reason: "eu-fra: 4 changes and 1001 ms behind, at most 1000 ms are in bounds",
    },
    { part: { answers: false }, reason: "eu-fra: it does not answer" },
    { part: { watermark: null, lag_ms: null }, reason: "eu-fra: its watermark is not known yet" },
    { part: { state: "halted", code: "divergence" } as const, reason: "eu-fra: halted with divergence" },
  ])("says $reason of $part", ({ part, reason }) => {
    expect(unreadiness([stream({ site: "eu-arn" }), stream(part)].slice(1), { lagMsMax: 1_000 })).toEqual(
      reason === null ? [] : [reason],
    );
  });
});

describe("the HTTP routes", async () => {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
  const now = Date.now;
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k" }] };
  const streams: StreamStatus[] = [stream({})];
  const app = createApp({
    streams: () => streams,
    lagMsMax: 1_000,
    metrics: createMetrics(
      () => streams,
      () => new Map(),
    ),
    verifier: createTokenVerifier({ jwks, site: "replication", now, epoch: () => 1 }),
    newId: () => "request-0001",
    report: () => undefined,
  });
  const signer = createTokenSigner({
    privateJwk: { ...(await exportJWK(privateKey)), kid: "k" },
    issuer: "dk-cph",
    now,
    epoch: () => 1,
  });

  it("answers /readyz with 503 while a stream is halted", async () => {
    expect((await app.request("/readyz")).status).toBe(200);
    streams.push(stream({ site: "eu-arn", state: "halted", code: "divergence" }));
    const answer = await app.request("/readyz");
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { ready: false, reasons: ["eu-arn: halted with divergence"] },
    ]);
  });

  it("counts per target at /metrics, the same at each reading", async () => {
    for (let reading = 0; reading < 2; reading += 1) {
      const text = await (await app.request("/metrics")).text();
      expect(text).toContain('kattegat_replication_applied_total{target="eu-fra"} 3');
      expect(text).toContain('kattegat_replication_refused_total{target="eu-fra"} 2');
      expect(text).toContain('kattegat_replication_wrong_refusals_total{target="eu-fra"} 1');
    }
  });

  it("tells its status to a site with a token, to nobody else", async () => {
    expect((await app.request("/internal/status")).status).toBe(401);
    const authorization = await signer.authorization("replication");
    const answer = await app.request("/internal/status", { headers: { authorization } });
    expect(await answer.json()).toMatchObject({ targets: [{ site: "eu-fra" }, { site: "eu-arn" }] });
    const other = await signer.authorization("eu-fra");
    expect((await app.request("/internal/status", { headers: { authorization: other } })).status).toBe(401);
  });
});

describe("settings", () => {
  it("lists every problem in one message", () => {
    expect(() => readSettings({ KATTEGAT_SITES: "{", PORT: "x" })).toThrow(
      /KATTEGAT_CONFIG[\s\S]*KATTEGAT_SITES: expected JSON[\s\S]*PORT/,
    );
  });
});
