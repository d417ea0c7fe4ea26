import { describe, expect, it } from "vitest";
import type { ColdQuery } from "./cold-query.ts";
import { createSubrequests } from "./subrequests.ts";
import { createResultCache, resultKey } from "./result-cache.ts";

const QUERY: ColdQuery = {
  dense: new Float32Array([0.6, 0.8]),
  lexical: { indices: new Uint32Array([7]), values: new Float32Array([1]) },
  filter: { must: [{ key: "court", match: { value: "Højesteret" } }] },
  collection: "default",
  classes: ["global", "eu"],
  depth: 100,
  page: 10,
  grouped: true,
};

describe("result cache", () => {
  it("names nothing of the query in its key", async () => {
    const key = await resultKey("edge-eu", "content", QUERY);
    expect(key).toMatch(/^edge-eu\/[0-9a-f]{64}$/);
  });

  it("tells apart all that the lists depend on, and nothing else", async () => {
    const key = await resultKey("edge-eu", "content", QUERY);
    expect(await resultKey("edge-eu", "content", { ...QUERY, classes: ["eu", "global"] })).toBe(key);
    const others: (readonly [string, string, ColdQuery])[] = [
      ["edge-global", "content", QUERY],
      ["edge-eu", "other", QUERY],
      ["edge-eu", "content", { ...QUERY, dense: null }],
      ["edge-eu", "content", { ...QUERY, lexical: null }],
      ["edge-eu", "content", { ...QUERY, filter: null }],
      ["edge-eu", "content", { ...QUERY, collection: "other" }],
      ["edge-eu", "content", { ...QUERY, classes: ["global"] }],
      ["edge-eu", "content", { ...QUERY, depth: 200 }],
      ["edge-eu", "content", { ...QUERY, page: 20 }],
      ["edge-eu", "content", { ...QUERY, grouped: false }],
    ];
    const keys = await Promise.all(others.map((other) => resultKey(...other)));
    expect(new Set([key, ...keys]).size).toBe(others.length + 1);
  });

  const candidate = {
    document_id: "a",
    ordinal: 1,
    score: 0.5,
    version: "3",
    residency: "global",
    segment: "segments/a.seg",
    bytes: 10,
    row: 4,
    document: null,
    named: true,
  };
  const lists = { dense: [candidate], lexical: [], probed: [3] };
  const isolate = (options: { readonly memoryBytesMax?: number; readonly now?: () => number } = {}) =>
    createResultCache({
      open: (colo) => caches.open(`test-${colo}`),
      memoryBytesMax: 100_000,
      secondsMax: 300,
      now: () => 0,
      ...options,
    });

  const searchAt = (colo: string) => ({ colo, subrequests: createSubrequests(), objects: [] });

  it("gives back what it was given, in the location where it was given", async () => {
    const cache = isolate();
    await cache.put("edge-eu/1", lists, searchAt("CPH"));
    for (const reader of [cache, isolate()]) {
      expect(await reader.get("edge-eu/1", searchAt("CPH"))).toEqual(lists);
      expect(await reader.get("edge-eu/1", searchAt("ARN"))).toBeNull();
      expect(await reader.get("edge-eu/2", searchAt("CPH"))).toBeNull();
    }
  });

  it("asks the location's cache once for an entry, and again when the entry is old", async () => {
    let nowMs = 0;
    const asked: string[] = [];
    const cache = createResultCache({
      open: async (colo) => {
        const store = await caches.open(`test-${colo}`);
        return {
          match: (url) => {
            asked.push(url);
            return store.match(url);
          },
          put: (url, response) => store.put(url, response),
        };
      },
      memoryBytesMax: 100_000,
      secondsMax: 300,
      now: () => nowMs,
    });
    await isolate().put("edge-eu/4", lists, searchAt("FRA"));
    for (const ms of [0, 1, 299_999]) {
      nowMs = ms;
      expect(await cache.get("edge-eu/4", searchAt("FRA"))).toEqual(lists);
    }
    expect(asked).toHaveLength(1);
    nowMs = 300_000;
    await cache.get("edge-eu/4", searchAt("FRA"));
    expect(asked).toHaveLength(2);
  });

  it("lets a location keep nothing for longer than each object that it was found in notes (I24)", async () => {
    const ages: (string | null)[] = [];
    const cache = createResultCache({
      open: () =>
        Promise.resolve({
          match: () => Promise.resolve(undefined),
          put: (_, { headers }) => Promise.resolve(void ages.push(headers.get("cache-control"))),
        }),
      memoryBytesMax: 100_000,
      secondsMax: 300,
      now: () => 0,
    });
    for (const objects of [
      [],
      [{}],
      [{ cache_seconds: 86_400 }],
      [{ cache_seconds: 90 }, { cache_seconds: 20 }],
    ])
      await cache.put("edge-eu/6", lists, { ...searchAt("CPH"), objects });
    expect(ages).toEqual(["max-age=300", "max-age=300", "max-age=300", "max-age=20"]);
  });

  it("keeps no entry that is larger than its memory", async () => {
    const cache = isolate({ memoryBytesMax: 10 });
    await cache.put("edge-eu/5", lists, searchAt("OSL"));
    await (await caches.open("test-OSL")).delete("https://cold-results.invalid/edge-eu/5");
    expect(await cache.get("edge-eu/5", searchAt("OSL"))).toBeNull();
  });

  it("takes an entry of another form for none", async () => {
    const cache = isolate();
    const store = await caches.open("test-HAM");
    await store.put(
      "https://cold-results.invalid/edge-eu/3",
      new Response('{"dense":1}', { headers: { "cache-control": "max-age=60" } }),
    );
    expect(await cache.get("edge-eu/3", searchAt("HAM"))).toBeNull();
  });
});
