import { env } from "cloudflare:workers";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import type { Piece } from "@kattegat/engine/cold/base/piece.ts";
import { beforeAll, describe, expect, it } from "vitest";
import { createBlockCache } from "./block-cache.ts";
import { createAttempt, unboundLimits } from "./bucket-attempt.ts";
import { readRange, type ReadElsewhere } from "./object-range.ts";
import { openSession, SEARCH_BYTES_MAX } from "./piece-reader.ts";
import { createRunCache, type ObjectKeys, type RunCache } from "./run-cache.ts";
import { SUBREQUESTS_MAX } from "./subrequests.ts";

const KEY = "bases/pieces";
const VOLUME_BYTES = 40 * 1_024 * 1_024;
const volume = new Uint8Array(VOLUME_BYTES);
for (let at = 0; at < VOLUME_BYTES; at += 1) volume[at] = (at * 31) >>> 7;

const attempt = createAttempt({
  now: () => Date.now(),
  random: () => 0,
  sleep: () => Promise.resolve(),
  report: () => undefined,
});

const keyOf: ObjectKeys = ({ file, volume: number }) => `${KEY}.${file}.${number}`;

function pieceAt(offset: number, length: number): Piece {
  return {
    file: "rows",
    volume: 0,
    offset,
    length,
    checksum: crc32c(volume.subarray(offset, offset + length)),
  };
}

interface Reads {
  readonly bucket?: R2Bucket;
  readonly elsewhere?: ReadElsewhere | null;
}

function openHere(cache: RunCache | null = null, { bucket = env.COLD, elsewhere = null }: Reads = {}) {
  const limits = unboundLimits();
  const memory = createBlockCache<Uint8Array>({ bytesMax: 1_000 });
  const session = openSession(
    { bucket, elsewhere, keyOf, memory, attempt },
    { ...limits, colo: "CPH", defer: () => undefined },
    { cache },
  );
  return { session, subrequests: limits.subrequests };
}

beforeAll(async () => {
  await env.COLD.put(`${KEY}.rows.0`, volume);
});

describe("the pieces of one search", () => {
  it("are read in as few ranges as fit the limit, by bridging gaps", async () => {
    const { session, subrequests } = openHere();
    const pieces = Array.from({ length: 100 }, (_, number) => pieceAt(number * 300_000, 1_000));
    const read = await session.read(pieces);
    expect(read.map((bytes) => bytes?.byteLength)).toEqual(pieces.map(() => 1_000));
    expect(session.usage()).toMatchObject({ missing: 0, leftOut: 0, reads: subrequests.made });
    expect(subrequests.made).toBeLessThanOrEqual(SUBREQUESTS_MAX);
  });

  it("are left out where the gaps are too large, the first ones last, and counted", async () => {
    const { session, subrequests } = openHere();
    const pieces = Array.from({ length: 50 }, (_, number) => pieceAt(number * 800_000, 1_000));
    const read = await session.read(pieces);
    // One is kept for caching the result.
    const most = SUBREQUESTS_MAX - 1;
    expect(subrequests.made).toBe(most);
    expect(read.map((bytes) => bytes !== null)).toEqual(pieces.map((_, number) => number < most));
    const leftOut = pieces.length - most;
    expect(session.usage()).toMatchObject({ missing: leftOut, leftOut });
  });

  it("take no more memory than a search may, those in flight counted", async () => {
    const { session } = openHere();
    const pieces = Array.from({ length: 38 }, (_, number) => pieceAt(number * 1_048_576, 1_000_000));
    const read = await session.read(pieces);
    const bytes = read.reduce((sum, piece) => sum + (piece?.byteLength ?? 0), 0);
    expect(bytes).toBeLessThanOrEqual(SEARCH_BYTES_MAX);
    expect(bytes).toBeGreaterThan(SEARCH_BYTES_MAX - 2_000_000);
    expect(session.usage()).toMatchObject({ leftOut: read.filter((piece) => piece === null).length });
  });

  it("are read six here at once, the others in invocations of their own, whose calls count too", async () => {
    let waiting = 0;
    let most = 0;
    const bucket = new Proxy(env.COLD, {
      get: (target, name) =>
        name === "get"
          ? async (key: string, options: R2GetOptions) => {
              waiting += 1;
              most = Math.max(most, waiting);
              const object = await target.get(key, options);
              waiting -= 1;
              return object;
            }
          : Reflect.get(target, name),
    });
    const groups: number[] = [];
    const elsewhere: ReadElsewhere = async (ranges) => {
      const call = groups.push(ranges.length);
      const read = await Promise.all(ranges.map((range) => readRange(env.COLD, range)));
      // One that the other invocation could not read.
      return read.map((bytes, at) => (call === 2 && at === 0 ? null : bytes));
    };
    const { session, subrequests } = openHere(null, { bucket, elsewhere });
    const pieces = Array.from({ length: 20 }, (_, number) => pieceAt(number * 100_000, 1_000));
    // Six here, of the other 25 after what is kept for the words and the result six of seven, since each seventh is a call.
    expect(session.readsMax("rows")).toBe(6 + 21);
    expect(await session.read(pieces)).toEqual(await openHere().session.read(pieces));
    expect(most).toBe(6);
    expect(groups).toEqual([6, 6, 2]);
    expect(session.usage()).toMatchObject({ reads: 21, missing: 0, leftOut: 0 });
    expect(subrequests.made).toBe(21 + groups.length);
  });

  it("come from the cache of the location where an earlier search has put them, damaged ones anew", async () => {
    const options = {
      keyOf,
      listKey: `${KEY}/runs`,
      secondsMax: 60,
      open: () => caches.open("pieces-test"),
      now: () => Date.now(),
      report: () => undefined,
    };
    const pieces = [pieceAt(0, 5_000), pieceAt(9_000_000, 5_000), pieceAt(5_000, 5_000)];
    const first = openHere(createRunCache(options));
    await first.session.read(pieces);
    await first.subrequests.finish();
    expect(first.session.usage()).toMatchObject({ reads: 2, fromCache: 0 });
    // An isolate that begins at the same location.
    const second = openHere(createRunCache(options));
    expect(await second.session.read(pieces)).toEqual(await openHere().session.read(pieces));
    expect(second.session.usage()).toMatchObject({ reads: 0, fromCache: 2, missing: 0 });
    const url = `https://cold-pieces.invalid/${KEY}.rows.0/rows.0/0-10000`;
    const headers = { "cache-control": "max-age=60" };
    await (await caches.open("pieces-test")).put(url, new Response(new Uint8Array(10_000), { headers }));
    const third = openHere(createRunCache(options));
    expect(await third.session.read(pieces)).toEqual(await openHere().session.read(pieces));
    expect(third.session.usage()).toMatchObject({ reads: 1, fromCache: 1, missing: 0 });
  });
});
