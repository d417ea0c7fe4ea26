/** Immutable objects that an isolate keeps whole. */
import type { SessionOptions } from "./piece-reader.ts";
import type { CacheLike } from "./result-cache.ts";

/** As for pieces: the key is never used again. */
const CACHE_CONTROL = "max-age=604800, immutable";

export interface WholeObject<T> {
  readonly value: T;
  /** Lets the location's cache keep what was read from the bucket. */
  keep(): void;
}

/** Resolves with what `open` makes of the object, from the cache or else the bucket; null where neither has bytes that it takes. */
export async function readWhole<T>(
  options: {
    readonly bucket: R2Bucket;
    readonly key: string;
    readonly openCache: (colo: string) => Promise<CacheLike>;
    readonly open: (bytes: Uint8Array<ArrayBuffer>) => T | null;
    readonly report: (error: unknown) => void;
  },
  { colo, defer }: Pick<SessionOptions, "colo" | "defer">,
): Promise<WholeObject<T> | null> {
  const url = `https://cold-pieces.invalid/${options.key}`;
  const cache = await options.openCache(colo).catch(() => null);
  const cached = await cache?.match(url).catch(() => undefined);
  const near = cached === undefined ? null : options.open(new Uint8Array(await cached.arrayBuffer()));
  if (near !== null) return { value: near, keep: () => undefined };
  const object = await options.bucket.get(options.key);
  if (object === null) return null;
  const bytes = new Uint8Array(await object.arrayBuffer());
  const value = options.open(bytes);
  if (value === null) return null;
  return {
    value,
    keep: () => {
      const response = new Response(bytes, { headers: { "cache-control": CACHE_CONTROL } });
      if (cache !== null) defer(Promise.resolve(cache.put(url, response)).catch(options.report));
    },
  };
}
