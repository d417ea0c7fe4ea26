/** Checked pieces of immutable objects, from the isolate's memory, the colo's cache or the bucket. */
import { mergePieces, partOf, type MergedRead } from "@kattegat/engine/cold/base/coalesce.ts";
import type { Piece, ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import type { CacheLike } from "./result-cache.ts";

/** One search's share of an isolate's 128 MB; a default query takes 2 MB, one with a narrow filter some 5 MB. */
const SEARCH_BYTES_MAX = 32 * 1_024 * 1_024;
/**
 * Reads of the bucket in one search; one that needs more answers without the rest, and says so. A default query needs some
 * thirty, one with a narrow filter or many words twice as many; the platform allows 10,000 on a paid plan.
 */
const SUBREQUESTS_MAX = 100;
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
  /** Reads of the bucket. */
  readonly subrequests: number;
  /** Pieces. */
  readonly fromMemory: number;
  /** Reads that the colo's cache answered. */
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
  /** Returns the key of the object that a piece is in. */
  readonly keyOf: (place: Pick<Piece, "file" | "volume">) => string;
  readonly memory: PieceMemory;
  /** Null where what the object holds may not rest in a cache of this zone. */
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

interface RunRead {
  readonly bytes: Uint8Array | null;
  /** Whether it came from the bucket. */
  readonly isFresh: boolean;
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
    const far = fresh.filter((piece) => !this.#isKnown(piece));
    for (const merged of mergePieces(far)) {
      const found = this.#readRun(merged);
      const checks = merged.parts.flatMap((place) => {
        const piece = far[place];
        if (piece === undefined) return [];
        const checked = found.then(({ bytes }) => this.#checked(merged, bytes, piece));
        this.#asked.set(this.#nameOf(piece), checked);
        return [checked];
      });
      this.#session.defer(this.#keepWhole(merged, found, checks));
    }
    const read = await Promise.all(pieces.map((piece) => this.#asked.get(this.#nameOf(piece)) ?? null));
    this.#usage.pieces += fresh.length;
    return read;
  };

  usage(): ReadUsage {
    return { ...this.#usage };
  }

  #nameOf(place: Omit<Piece, "checksum">): string {
    return `${this.#options.keyOf(place)}/${place.offset}-${place.length}`;
  }

  /** Takes the piece from the isolate's memory, if it is there. */
  #isKnown(piece: Piece): boolean {
    const name = this.#nameOf(piece);
    const known = this.#options.memory.get(name);
    if (known === undefined) return false;
    this.#usage.fromMemory += 1;
    this.#asked.set(name, Promise.resolve(known));
    return true;
  }

  /** The piece's bytes, kept for later; null, and counted, when they are not what was written. */
  #checked(run: MergedRead, bytes: Uint8Array | null, piece: Piece): Uint8Array | null {
    const part = bytes === null ? null : partOf(run, bytes, piece);
    if (part === null || crc32c(part) !== piece.checksum) {
      this.#usage.missing += 1;
      return null;
    }
    // A copy: a view would keep the whole read in memory.
    this.#options.memory.set(this.#nameOf(piece), part.slice());
    return part;
  }

  /** The cache first, then one ranged read. */
  async #readRun(run: MergedRead): Promise<RunRead> {
    const cached = await this.#fromCache(this.#urlOf(run));
    if (cached?.byteLength === run.length) return { bytes: cached, isFresh: false };
    return { bytes: await this.#fromBucket(run), isFresh: true };
  }

  /** Caches a run as it was read, since like queries ask for the same lists; never one that is damaged. */
  async #keepWhole(
    run: MergedRead,
    found: Promise<RunRead>,
    checks: readonly Promise<Uint8Array | null>[],
  ): Promise<void> {
    const { bytes, isFresh } = await found;
    const pieces = await Promise.all(checks);
    if (bytes !== null && isFresh && pieces.every((piece) => piece !== null))
      await this.#keep(this.#urlOf(run), bytes);
  }

  #urlOf(run: MergedRead): string {
    return `https://cold-pieces.invalid/${this.#nameOf(run)}`;
  }

  async #fromCache(url: string): Promise<Uint8Array | null> {
    const { openCache, report } = this.#options;
    if (openCache === null) return null;
    try {
      this.#cache ??= openCache(this.#session.colo);
      const response = await (await this.#cache).match(url);
      if (response === undefined) return null;
      const bytes = new Uint8Array(await response.arrayBuffer());
      this.#usage.bytes += bytes.byteLength;
      this.#usage.fromCache += 1;
      return bytes;
    } catch (error) {
      report(error);
      return null;
    }
  }

  async #fromBucket(run: MergedRead): Promise<Uint8Array | null> {
    const { offset, length } = run;
    const { bucket, keyOf, now, random, sleep, report } = this.#options;
    for (let attempt = 0; attempt < 2; attempt += 1) {
      if (!this.#admits(length) || now() >= this.#session.endsAt) return null;
      this.#usage.subrequests += 1;
      try {
        const object = await bucket.get(keyOf(run), { range: { offset, length } });
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

  async #keep(url: string, bytes: Uint8Array): Promise<void> {
    const { openCache, report } = this.#options;
    if (openCache === null) return;
    const headers = {
      "content-type": "application/octet-stream",
      "cache-control": `max-age=${CACHE_SECONDS}, immutable`,
    };
    try {
      this.#cache ??= openCache(this.#session.colo);
      await (await this.#cache).put(url, new Response(bytes.slice(), { headers }));
    } catch (error) {
      report(error);
    }
  }

  #admits(bytes: number): boolean {
    return this.#usage.subrequests < SUBREQUESTS_MAX && this.#usage.bytes + bytes <= SEARCH_BYTES_MAX;
  }
}
