/** Checked pieces of a base, from the isolate's memory, the colo's cache or the bucket. */
import { mergePieces } from "@kattegat/engine/cold/base/coalesce.ts";
import type { Piece, ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { CacheLike } from "./result-cache.ts";

/** One search's share of an isolate's 128 MB; a default query takes 2 MB, one with a narrow filter some 5 MB. */
const SEARCH_BYTES_MAX = 32 * 1_024 * 1_024;
/** The contract of the cold tier with its platform: a search that needs more answers without the rest, and says so. */
const SUBREQUESTS_MAX = 40;
/** A throttled or failed read is tried once more after this, with jitter, while there is time. */
const RETRY_MS = 25;
/** Keys are never used again; this only bounds how long a dead one takes room. */
const CACHE_SECONDS = 7 * 24 * 3_600;

export interface PieceMemory {
  get(key: string): Uint8Array | undefined;
  set(key: string, bytes: Uint8Array): void;
}

/** What one search has read so far. */
export interface ReadUsage {
  readonly pieces: number;
  readonly bytes: number;
  /** Asked of the colo's cache, of the bucket. */
  readonly subrequests: number;
  readonly fromMemory: number;
  readonly fromCache: number;
  /** Pieces that could not be had. */
  readonly missing: number;
}

export interface PieceSession {
  readonly read: ReadPieces;
  usage(): ReadUsage;
}

export interface PieceReaderOptions {
  readonly bucket: R2Bucket;
  readonly base: { readonly key: string };
  readonly memory: PieceMemory;
  /** Null where a class of the base may not rest in a cache of this zone. */
  readonly openCache: ((colo: string) => Promise<CacheLike>) | null;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (timeMs: number) => Promise<void>;
  readonly report: (error: unknown) => void;
}

export interface SessionOptions {
  readonly colo: string;
  /** On the clock of `now`. */
  readonly endsAt: number;
  readonly defer: (work: Promise<unknown>) => void;
}

/** A session is one search: its reads share the limits, a piece asked twice is read once. */
export function openSession(options: PieceReaderOptions, session: SessionOptions): PieceSession {
  return new Session(options, session);
}

class Session implements PieceSession {
  readonly #options: PieceReaderOptions;
  readonly #session: SessionOptions;
  readonly #asked = new Map<string, Promise<Uint8Array | null>>();
  #cache: Promise<CacheLike> | null = null;
  #usage = { pieces: 0, bytes: 0, subrequests: 0, fromMemory: 0, fromCache: 0, missing: 0 };

  constructor(options: PieceReaderOptions, session: SessionOptions) {
    this.#options = options;
    this.#session = session;
  }

  readonly read: ReadPieces = async (pieces) => {
    const fresh = pieces.filter((piece) => !this.#asked.has(this.#nameOf(piece)));
    for (const { parts: places } of mergePieces(fresh)) {
      const run = places.flatMap((place) => fresh[place] ?? []);
      const found = this.#readRun(run);
      for (const [at, piece] of run.entries())
        this.#asked.set(
          this.#nameOf(piece),
          found.then((parts) => parts[at] ?? null),
        );
    }
    const read = await Promise.all(pieces.map((piece) => this.#asked.get(this.#nameOf(piece)) ?? null));
    this.#usage.pieces += fresh.length;
    return read;
  };

  usage(): ReadUsage {
    return { ...this.#usage };
  }

  #nameOf({ file, volume, offset, length }: Piece): string {
    return `${volumeKey(this.#options.base, file, volume)}/${offset}-${length}`;
  }

  /** Memory first, then the cache piece by piece, then one ranged read for all that is left of the run. */
  async #readRun(run: readonly Piece[]): Promise<(Uint8Array | null)[]> {
    const found = await Promise.all(run.map((piece) => this.#fromNear(piece)));
    const left = run.filter((_, at) => found[at] === null);
    const first = left[0];
    const last = left.at(-1);
    if (first === undefined || last === undefined) return found;
    const length = last.offset + last.length - first.offset;
    const bytes = await this.#fromBucket(first, length);
    return run.map((piece, at) => {
      const known = found[at] ?? null;
      if (known !== null) return known;
      const part = bytes?.subarray(piece.offset - first.offset, piece.offset - first.offset + piece.length);
      if (part === undefined || part.byteLength !== piece.length || crc32c(part) !== piece.checksum) {
        this.#usage.missing += 1;
        return null;
      }
      this.#keep(piece, part.slice());
      return part;
    });
  }

  async #fromNear(piece: Piece): Promise<Uint8Array | null> {
    const name = this.#nameOf(piece);
    const known = this.#options.memory.get(name);
    if (known !== undefined) {
      this.#usage.fromMemory += 1;
      return known;
    }
    const { openCache } = this.#options;
    if (openCache === null || !this.#admits(0)) return null;
    try {
      this.#cache ??= openCache(this.#session.colo);
      this.#usage.subrequests += 1;
      const response = await (await this.#cache).match(urlOf(name));
      if (response === undefined) return null;
      const bytes = new Uint8Array(await response.arrayBuffer());
      if (bytes.byteLength !== piece.length || crc32c(bytes) !== piece.checksum) return null;
      this.#usage.bytes += bytes.byteLength;
      this.#usage.fromCache += 1;
      this.#options.memory.set(name, bytes);
      return bytes;
    } catch (error) {
      this.#options.report(error);
      return null;
    }
  }

  async #fromBucket(first: Piece, length: number): Promise<Uint8Array | null> {
    const { bucket, base, now, random, sleep, report } = this.#options;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      if (!this.#admits(length) || now() >= this.#session.endsAt) return null;
      this.#usage.subrequests += 1;
      try {
        const key = volumeKey(base, first.file, first.volume);
        const object = await bucket.get(key, { range: { offset: first.offset, length } });
        if (object === null) return null;
        const bytes = new Uint8Array(await object.arrayBuffer());
        this.#usage.bytes += bytes.byteLength;
        return bytes;
      } catch (error) {
        report(error);
        await sleep(RETRY_MS * (1 + random()));
      }
    }
    return null;
  }

  #keep(piece: Piece, bytes: Uint8Array<ArrayBuffer>): void {
    const name = this.#nameOf(piece);
    this.#options.memory.set(name, bytes);
    const { openCache } = this.#options;
    if (openCache === null) return;
    this.#cache ??= openCache(this.#session.colo);
    const headers = {
      "content-type": "application/octet-stream",
      "cache-control": `max-age=${CACHE_SECONDS}, immutable`,
    };
    const stored = this.#cache.then((cache) => cache.put(urlOf(name), new Response(bytes, { headers })));
    this.#session.defer(stored.catch(this.#options.report));
  }

  #admits(bytes: number): boolean {
    return this.#usage.subrequests < SUBREQUESTS_MAX && this.#usage.bytes + bytes <= SEARCH_BYTES_MAX;
  }
}

function urlOf(name: string): string {
  return `https://cold-pieces.invalid/${name}`;
}
