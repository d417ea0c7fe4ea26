/** Immutable objects that an isolate keeps whole. */
import type { Attempt } from "./bucket-attempt.ts";
import type { SessionOptions } from "./piece-reader.ts";
import type { CacheLike } from "./result-cache.ts";

export interface WholeObject<T> {
  readonly value: T;
  /** Lets the location's cache keep what was read from the bucket; work for after the answer. */
  keep(): Promise<void>;
}

/**
 * Resolves with what `open` makes of the object, from the cache or else the bucket; null where neither has bytes that it takes.
 *
 * @throws {Error} when the bucket cannot be read.
 */
export async function readWhole<T>(
  options: {
    readonly bucket: R2Bucket;
    readonly key: string;
    /** Of the object; 0 when it is not known. */
    readonly bytes: number;
    readonly attempt: Attempt;
    /** In the cache: the key is never used again, so this bounds how long a dead object rests. */
    readonly secondsMax: number;
    readonly openCache: (colo: string) => Promise<CacheLike>;
    readonly open: (bytes: Uint8Array<ArrayBuffer>) => T | null;
    readonly report: (error: unknown) => void;
  },
  session: SessionOptions,
): Promise<WholeObject<T> | null> {
  const { bucket, key, open, openCache, attempt, report } = options;
  const { colo, subrequests } = session;
  const url = `https://cold-pieces.invalid/${key}`;
  const cache = await openCache(colo).catch(() => null);
  const { connections } = subrequests;
  const response = subrequests.take()
    ? await connections.hold(cache?.match(url) ?? Promise.resolve(undefined)).catch(() => undefined)
    : undefined;
  const near = response === undefined ? null : open(new Uint8Array(await response.arrayBuffer()));
  if (near !== null) return { value: near, keep: () => Promise.resolve() };
  const bytes = await attempt(
    async () => {
      const object = await connections.hold(bucket.get(key));
      return object === null ? null : new Uint8Array(await object.arrayBuffer());
    },
    { ...session, bytes: options.bytes },
  );
  const value = bytes === null ? null : open(bytes);
  if (bytes === null || value === null) return null;
  return {
    value,
    keep: async () => {
      const headers = { "cache-control": `max-age=${options.secondsMax}, immutable` };
      const answer = new Response(bytes, { headers });
      if (cache !== null && subrequests.take()) await cache.put(url, answer).catch(report);
    },
  };
}
