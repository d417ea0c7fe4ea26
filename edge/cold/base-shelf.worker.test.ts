import { env } from "cloudflare:workers";
import { parseNetwork } from "@kattegat/config/load.ts";
import networkText from "@kattegat/config/network.yaml?raw";
import { plainHit, plainWords, testBase } from "@kattegat/engine/cold/base/base.fixture.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { ColdFormatError } from "@kattegat/engine/cold/segment.ts";
import { createScanner } from "@kattegat/engine/vector/scan.ts";
import scan from "@kattegat/engine/wasm/scan.wasm";
import { beforeAll, describe, expect, it } from "vitest";
import { readFromBase } from "./base-search.ts";
import { createBaseShelf, type BaseShelf, type BaseShelfOptions } from "./base-shelf.ts";
import { createBlockCache } from "./block-cache.ts";
import { createAttempt, unboundLimits } from "./bucket-attempt.ts";

const DIMENSIONS = 8;
const SEARCH_MS_MAX = 10_000;
const bases: ManifestBase[] = [];
/** What one of them keeps in memory. */
let bytes = 0;
let nowMs = 0;

async function stored(key: string): Promise<ManifestBase> {
  const passages = Array.from({ length: 400 }, (_, number) => ({
    ...plainHit(number),
    dense: Float32Array.from({ length: DIMENSIONS }, (_, i) => Math.sin(number * (i + 1))),
    sparse: plainWords(number),
  }));
  const { base, objects } = await testBase(passages, {
    key,
    model: "hashed-8-v1",
    scanner: createScanner(scan),
  });
  for (const [object, content] of objects) await env.COLD.put(object, content);
  return base;
}

function shelf(options: {
  readonly residentBytesMax: number;
  readonly othersBytes?: () => number;
  readonly makeRoom?: () => void;
  readonly network?: BaseShelfOptions["network"];
  readonly openCache?: BaseShelfOptions["openCache"];
}): BaseShelf {
  const report = (error: unknown): never => {
    throw error;
  };
  const now = (): number => nowMs;
  return createBaseShelf({
    bucket: env.COLD,
    elsewhere: null,
    network: parseNetwork(networkText),
    zone: "global",
    memory: createBlockCache<Uint8Array>({ bytesMax: 1_000_000 }),
    openCache: () => caches.open("shelf-test"),
    attempt: createAttempt({ now, random: () => 0.5, sleep: () => Promise.resolve(), report }),
    now,
    report,
    ...options,
  });
}

const open = (on: BaseShelf, base: ManifestBase) =>
  on.open(base, { ...unboundLimits(), colo: "CPH", defer: () => undefined });

beforeAll(async () => {
  for (const key of ["bases/one", "bases/two"]) bases.push(await stored(key));
  const [first] = bases;
  if (first === undefined) throw new Error("two bases");
  ({ residentBytes: bytes } = (await open(shelf({ residentBytesMax: Infinity }), first)).base);
});

describe("the bases that an isolate keeps", () => {
  const pair = (): readonly [ManifestBase, ManifestBase] => {
    const [one, two] = bases;
    if (one === undefined || two === undefined) throw new Error("two bases");
    return [one, two];
  };

  it.each([
    { noted: 20, own: 86_400, kept: 20 },
    { noted: 604_800, own: 86_400, kept: 86_400 },
    { noted: undefined, own: 86_400, kept: 86_400 },
  ])(
    "let a location keep their pieces for $kept s, where their manifest notes $noted and the network file says $own (I24)",
    async ({ noted, own, kept }) => {
      const [one] = pair();
      const ages = new Set<string | null>();
      const network = parseNetwork(networkText);
      const noting = shelf({
        residentBytesMax: Infinity,
        network: { ...network, limits: { ...network.limits, cache_seconds_max: own } },
        openCache: () =>
          Promise.resolve({
            match: () => Promise.resolve(undefined),
            put: (_, { headers }) => Promise.resolve(void ages.add(headers.get("cache-control"))),
          }),
      });
      const session = { ...unboundLimits(), colo: "CPH", defer: () => undefined };
      const base = noted === undefined ? one : { ...one, cache_seconds: noted };
      await readFromBase(await noting.open(base, session), [7], session);
      await session.subrequests.finish();
      expect([...ages].toSorted()).toEqual([`max-age=${kept}`, `max-age=${kept}, immutable`]);
    },
  );

  it("are two while one replaces the other, as long as searches of the first may run", async () => {
    const [one, two] = pair();
    const both = shelf({ residentBytesMax: 3 * bytes });
    await open(both, one);
    expect(both.hasRoomFor(two)).toBe(true);
    await open(both, two);
    expect([both.find(one.key)?.key, both.find(two.key)?.key]).toEqual([one.key, two.key]);
    expect(both.residentBytes).toBe(2 * bytes);
    nowMs += SEARCH_MS_MAX + 1;
    expect(both.find(one.key)).toBeNull();
    expect(both.residentBytes).toBe(bytes);
  });

  it("are one where two do not fit, and the first is gone before the second is read", async () => {
    const [one, two] = pair();
    const room = Math.ceil(1.5 * Math.max(bytes, one.root.bytes));
    const single = shelf({ residentBytesMax: room });
    await open(single, one);
    expect(single.hasRoomFor(two)).toBe(false);
    const opening = open(single, two);
    expect(single.find(one.key)).toBeNull();
    await opening;
    expect(single.residentBytes).toBe(bytes);
  });

  it("share their room with those of the isolate's other indexes", async () => {
    const [one, two] = pair();
    const shelves: BaseShelf[] = [];
    for (const at of [0, 1])
      shelves.push(
        shelf({ residentBytesMax: 1.5 * bytes, othersBytes: () => shelves[1 - at]?.residentBytes ?? 0 }),
      );
    const [mine, other] = shelves;
    if (mine === undefined || other === undefined) throw new Error("two shelves");
    await open(mine, one);
    expect(other.hasRoomFor(two)).toBe(false);
    await expect(open(other, two)).rejects.toThrow(ColdFormatError);
    expect(mine.residentBytes + other.residentBytes).toBe(bytes);
  });

  it("of another model's copies leave where they do not fit: no search asks for both", async () => {
    const [one, two] = pair();
    const former = shelf({ residentBytesMax: Infinity });
    const kept = await open(former, one);
    const next = shelf({
      residentBytesMax: Math.ceil(1.5 * Math.max(bytes, two.root.bytes)),
      othersBytes: () => former.residentBytes,
      makeRoom: () => former.leave(),
    });
    await open(next, two);
    expect([former.residentBytes, next.residentBytes]).toEqual([0, bytes]);
    // A search that had it goes on.
    expect(kept.base.residentBytes).toBe(bytes);
  });
});
