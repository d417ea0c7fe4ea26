import { plainHit, plainWords, testBase } from "@kattegat/engine/cold/base/base.fixture.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import type { ColdPassage } from "@kattegat/engine/cold/segment.ts";
import { createScanner } from "@kattegat/engine/vector/scan.ts";
import scan from "@kattegat/engine/wasm/scan.wasm";
import { parseNetwork } from "@kattegat/config/load.ts";
import networkText from "@kattegat/config/network.yaml?raw";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { createBaseShelf, type OpenBase } from "../cold/base-shelf.ts";
import { createBlockCache } from "../cold/block-cache.ts";
import { createAttempt, unboundLimits } from "../cold/bucket-attempt.ts";
import { createWarmer, type Warmer } from "./warmer.ts";
import { HOUR_MS, HOURS_OF_WEEK } from "./week.ts";

const DIMENSIONS = 8;
const CLUSTERS = 8;

/** Eight tight clusters, one about each axis; a little turned, so that two generations differ. */
function passages(count: number, turn: number): ColdPassage[] {
  return Array.from({ length: count }, (_, number) => {
    const dense = new Float32Array(DIMENSIONS);
    dense[number % CLUSTERS] = 1;
    dense[(number + 1) % CLUSTERS] = turn + (number % 50) / 1_000;
    return { ...plainHit(number), dense, sparse: plainWords(number) };
  });
}

async function stored(key: string, turn: number): Promise<ManifestBase> {
  const { base, objects } = await testBase(passages(2_000, turn), {
    key,
    model: "hashed-8-v1",
    scanner: createScanner(scan),
  });
  for (const [object, bytes] of objects) await env.COLD.put(object, bytes);
  return base;
}

function report(error: unknown): never {
  throw error;
}

/** One isolate at one location. */
function isolate(colo: string, now: () => number = () => 0) {
  const network = parseNetwork(networkText);
  const memory = createBlockCache<Uint8Array>({ bytesMax: 16 * 2 ** 20 });
  const working: Promise<unknown>[] = [];
  const common = { openCache: (name: string) => caches.open(`warmer-${name}`), now, report };
  const shelf = createBaseShelf({
    ...common,
    bucket: env.COLD,
    elsewhere: null,
    network,
    zone: "global",
    memory,
    attempt: createAttempt({ now, random: () => 0.5, sleep: () => Promise.resolve(), report }),
  });
  const session = {
    ...unboundLimits(),
    colo,
    defer: (work: Promise<unknown>) => void working.push(work),
  };
  const warmer: Warmer = createWarmer({ ...common, site: "edge-global" });
  return {
    session,
    warmer,
    open: (base: ManifestBase) => shelf.open(base, session),
    rest: async () => {
      for (let work = working.pop(); work !== undefined; work = working.pop()) await work;
    },
    /** What a search for these lists would read of the bucket, and of the location's cache. */
    async missing(open: OpenBase, lists: readonly number[]): Promise<number> {
      const reading = open.session(session);
      await reading.read(lists.map((list) => open.base.lists.piece(list)));
      return lists.length - reading.usage().fromMemory;
    },
  };
}

function nearestTo(open: OpenBase, axis: number): number {
  const centroids = open.base.lists.centroids();
  const along = Array.from(
    { length: open.base.lists.count },
    (_, list) => centroids[list * DIMENSIONS + axis] ?? 0,
  );
  return along.indexOf(Math.max(...along));
}

describe("the warmer of a location", () => {
  let before: ManifestBase;
  let after: ManifestBase;
  beforeAll(async () => {
    before = await stored("bases/before", 0);
    after = await stored("bases/after", 0.1);
  });

  it("reads of a new generation the lists that lie where the hot ones lay, no others", async () => {
    const host = isolate("CPH");
    const old = await host.open(before);
    const hot = nearestTo(old, 2);
    for (let asking = 0; asking < 3; asking += 1) host.warmer.asked(old, [hot], host.session);
    const young = await host.open(after);
    host.warmer.asked(young, [nearestTo(young, 5)], host.session);
    await host.rest();
    expect(await host.missing(young, [nearestTo(young, 2)])).toBe(0);
    expect(await host.missing(young, [nearestTo(young, 6)])).toBe(1);
  });

  it("gives a new isolate what the location was asked for", async () => {
    let nowMs = 0;
    const host = isolate("ARN", () => nowMs);
    const open = await host.open(before);
    const hot = nearestTo(open, 3);
    for (let asking = 0; asking < 3; asking += 1) host.warmer.asked(open, [hot], host.session);
    nowMs = HOUR_MS;
    host.warmer.asked(open, [hot], host.session);
    await host.rest();
    const next = isolate("ARN", () => nowMs);
    const opened = await next.open(before);
    next.warmer.asked(opened, [nearestTo(opened, 6)], next.session);
    await next.rest();
    expect(await next.missing(opened, [hot])).toBe(0);
    const elsewhere = isolate("FRA", () => nowMs);
    const far = await elsewhere.open(before);
    elsewhere.warmer.asked(far, [nearestTo(far, 6)], elsewhere.session);
    await elsewhere.rest();
    expect(await elsewhere.missing(far, [hot])).toBe(1);
  });

  it.each([
    { hour: 3, missing: 1 },
    { hour: 8, missing: 0 },
  ])(
    "reads the hot lists just before busy hours where nobody asks: at $hour of 9",
    async ({ hour, missing }) => {
      let nowMs = 0;
      const host = isolate(`HAM${hour}`, () => nowMs);
      const open = await host.open(before);
      const hot = nearestTo(open, 1);
      for (const week of [0, 1, 2]) {
        nowMs = (week * HOURS_OF_WEEK + 9) * HOUR_MS;
        for (let asking = 0; asking < 300; asking += 1) host.warmer.asked(open, [hot], host.session);
      }
      nowMs = (3 * HOURS_OF_WEEK + hour) * HOUR_MS;
      host.warmer.tick(host.session.defer);
      await host.rest();
      expect(await host.missing(open, [hot])).toBe(missing);
    },
  );
});
