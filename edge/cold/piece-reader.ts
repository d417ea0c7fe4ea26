/** Checked pieces of immutable objects, from the isolate's memory, the colo's cache or the bucket. */
import { mergePieces, partOf, type MergedRead } from "@kattegat/engine/cold/base/coalesce.ts";
import type { BaseFile, Piece, ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { NoSubrequestLeft, type Attempt, type ReadLimits } from "./bucket-attempt.ts";
import { WAITING_CONNECTIONS_MAX } from "./connections.ts";
import { readRange, type ReadElsewhere } from "./object-range.ts";
import { createReadShares, type ReadShares } from "./read-shares.ts";
import type { ObjectKeys, Run, RunCache } from "./run-cache.ts";

/** One search's share of an isolate's 128 MB; a default query takes 2 MB, one with a narrow filter some 5 MB. */
export const SEARCH_BYTES_MAX = 32 * 1_024 * 1_024;
/** Where subrequests are short, gaps of some milliseconds' bytes are bridged too. */
const SHORT_GAP_BYTES_MAX = 524_288;
/** Results of two parts, and the list of runs, are worth more than the runs. */
const KEPT_FOR_RESULTS = 3;
/** What other searches ask for as well is cached first. */
const CACHED_FIRST: readonly BaseFile[] = ["codes", "postings", "columns", "rows"];

export interface PieceMemory {
  get(key: string): Uint8Array | undefined;
  set(key: string, bytes: Uint8Array): void;
}

/** What one search has read so far. */
export interface ReadUsage {
  readonly pieces: number;
  readonly bytes: number;
  /** Reads of the bucket. */
  readonly reads: number;
  /** Pieces. */
  readonly fromMemory: number;
  /** Reads that the colo's cache answered. */
  readonly fromCache: number;
  /** Pieces that could not be had. */
  readonly missing: number;
  /** Those of them that did not fit the limits of one search. */
  readonly leftOut: number;
}

export interface PieceSession {
  readonly read: ReadPieces;
  /** How many reads of a file a search may plan with now; some are kept for what cannot be planned. */
  readsMax(file: BaseFile): number;
  usage(): ReadUsage;
}

export interface PieceReaderOptions {
  readonly bucket: R2Bucket;
  /** For reads that would have to wait for others; null where all are made here. */
  readonly elsewhere: ReadElsewhere | null;
  /** Returns the key of the object that a piece is in. */
  readonly keyOf: ObjectKeys;
  readonly memory: PieceMemory;
  readonly attempt: Attempt;
}

/** One search: its limits are shared by all that it reads. */
export interface SessionOptions extends ReadLimits {
  readonly colo: string;
  readonly defer: (work: Promise<unknown>) => void;
}

interface Reading {
  /** Null where what the objects hold may not rest in a cache of this zone. */
  readonly cache: RunCache | null;
  /** Which ones the search may come to read; all by default. */
  readonly files?: readonly BaseFile[];
}

/**
 * A session is one search: its reads share the limits, a piece asked twice is read once.
 *
 */
export function openSession(
  options: PieceReaderOptions,
  session: SessionOptions,
  reading: Reading,
): PieceSession {
  return new Session(options, session, reading);
}

interface FreshRun {
  readonly run: MergedRead;
  readonly bytes: Uint8Array;
}

class Session implements PieceSession {
  readonly #options: PieceReaderOptions;
  readonly #session: SessionOptions;
  readonly #cache: RunCache | null;
  readonly #asked = new Map<string, Promise<Uint8Array | null>>();
  readonly #shares: ReadShares;
  #fresh: FreshRun[] = [];
  #inFlightBytes = 0;
  #usage = { pieces: 0, bytes: 0, reads: 0, fromMemory: 0, fromCache: 0, missing: 0, leftOut: 0 };

  constructor(options: PieceReaderOptions, session: SessionOptions, { cache, files }: Reading) {
    this.#options = options;
    this.#session = session;
    this.#cache = cache;
    const hasOthers = options.elsewhere !== null;
    this.#shares = createReadShares(session.subrequests, {
      hasOthers,
      ...(files === undefined ? {} : { files }),
    });
    if (cache !== null) session.subrequests.later(() => this.#keepFresh(cache));
  }

  readonly read: ReadPieces = async (pieces) => {
    await this.#cache?.load(this.#session.subrequests);
    const fresh = pieces.filter((piece) => !this.#asked.has(this.#nameOf(piece)));
    const far = fresh.filter((piece) => !this.#isKnown(piece));
    const found = this.#fromCache(far);
    this.#fromBucket(far.filter((piece) => !found.has(piece)));
    const read = await Promise.all(pieces.map((piece) => this.#asked.get(this.#nameOf(piece)) ?? null));
    this.#usage.pieces += fresh.length;
    return read;
  };

  usage(): ReadUsage {
    return { ...this.#usage };
  }

  #nameOf(run: Run): string {
    return `${this.#options.keyOf(run)}/${run.offset}-${run.length}`;
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

  /** Asks the cache for the runs that are known to hold pieces; returns those pieces. What is damaged there is read anew. */
  #fromCache(pieces: readonly Piece[]): ReadonlySet<Piece> {
    const cache = this.#cache;
    const held = new Map<Run, Piece[]>();
    for (const piece of pieces) {
      const run = cache?.runOf(piece) ?? null;
      if (run !== null) held.set(run, [...(held.get(run) ?? []), piece]);
    }
    for (const [run, parts] of held) {
      const merged: MergedRead = { ...run, parts: parts.map((_, part) => part) };
      const bytes = this.#admits(run.length) ? cache?.match(run, this.#session.subrequests) : undefined;
      const answered = Promise.resolve(bytes ?? null).then((cached) => {
        if (cached === null || !parts.every((piece) => isIntact(merged, cached, piece)))
          return this.#readRun(merged);
        this.#usage.bytes += cached.byteLength;
        this.#usage.fromCache += 1;
        return cached;
      });
      for (const piece of parts) this.#ask(piece, merged, answered);
    }
    return new Set([...held.values()].flat());
  }

  /** Reads in as few ranges as are left; pieces that do not fit are not read. */
  #fromBucket(pieces: readonly Piece[]): void {
    const [first] = pieces;
    if (first === undefined) return;
    const readsMax = this.#shares.begin(first.file);
    const runs = mergePieces(pieces, { readsMax, gapBytesMax: SHORT_GAP_BYTES_MAX });
    const isWorth = ({ parts }: MergedRead): number => parts.length - Math.min(...parts) / pieces.length;
    const chosen = runs.toSorted((a, b) => isWorth(b) - isWorth(a)).slice(0, readsMax);
    const reading = this.#readRuns(chosen);
    for (const run of runs) {
      const bytes = reading.get(run) ?? Promise.resolve(null);
      if (!reading.has(run)) this.#usage.leftOut += run.parts.length;
      for (const place of run.parts) {
        const piece = pieces[place];
        if (piece !== undefined) this.#ask(piece, run, bytes);
      }
    }
  }

  #ask(piece: Piece, run: MergedRead, bytes: Promise<Uint8Array | null>): void {
    this.#asked.set(
      this.#nameOf(piece),
      bytes.then((read) => this.#checked(run, read, piece)),
    );
  }

  /** Begins all reads at once: those that find no connection here in invocations of their own. */
  #readRuns(runs: readonly MergedRead[]): ReadonlyMap<MergedRead, Promise<Uint8Array | null>> {
    const { elsewhere, keyOf } = this.#options;
    const { subrequests } = this.#session;
    const here = elsewhere === null ? runs.length : subrequests.connections.free;
    const reading = new Map(runs.slice(0, here).map((run) => [run, this.#readRun(run)] as const));
    const others = runs.slice(here);
    while (others.length > 0) {
      // The call is one subrequest, each of its reads another.
      const most = Math.max(0, Math.min(WAITING_CONNECTIONS_MAX, subrequests.left - 1));
      const group = this.#admitted(others, most);
      const ranges = group.map((run) => ({ key: keyOf(run), offset: run.offset, length: run.length }));
      const answered =
        elsewhere !== null && group.length > 0 && subrequests.take() ? elsewhere(ranges) : null;
      for (const [at, run] of group.entries()) {
        const bytes = answered?.then((read) => read[at] ?? null).catch(() => null);
        reading.set(run, this.#readRun(run, bytes));
      }
      // What does not fit any more is refused, one by one.
      const rest = group.length > 0 ? [] : others.splice(0);
      for (const run of rest) reading.set(run, this.#readRun(run));
    }
    return reading;
  }

  /** Takes the first runs away, as many as may be read elsewhere and held twice, there and here. */
  #admitted(runs: MergedRead[], most: number): readonly MergedRead[] {
    let count = 0;
    for (let bytes = 0; count < Math.min(most, runs.length); count += 1) {
      bytes += 2 * (runs[count]?.length ?? 0);
      if (!this.#admits(bytes)) break;
    }
    return runs.splice(0, count);
  }

  readsMax(file: BaseFile): number {
    return this.#shares.planned(file);
  }

  /** The piece's bytes, kept for later; null, and counted, when they are not what was written. */
  #checked(run: MergedRead, bytes: Uint8Array | null, piece: Piece): Uint8Array | null {
    const part = bytes === null ? null : partOf(run, bytes, piece);
    if (part === null || crc32c(part) !== piece.checksum) {
      this.#usage.missing += 1;
      this.#fresh = this.#fresh.filter((fresh) => fresh.run !== run);
      return null;
    }
    // A copy: a view would keep the whole read in memory.
    this.#options.memory.set(this.#nameOf(piece), part.slice());
    return part;
  }

  /** @param elsewhere - a first attempt that is already made; where it gives nothing, the run is read here. */
  async #readRun(run: MergedRead, elsewhere?: Promise<Uint8Array | null>): Promise<Uint8Array | null> {
    const { bucket, keyOf, attempt } = this.#options;
    const { connections } = this.#session.subrequests;
    let first = elsewhere ?? null;
    const { offset, length } = run;
    if (!this.#admits(length)) {
      this.#usage.leftOut += run.parts.length;
      return null;
    }
    this.#inFlightBytes += length;
    try {
      const bytes = await attempt(
        async () => {
          this.#usage.reads += 1;
          const made = first;
          first = null;
          if (made === null) return readRange(bucket, { key: keyOf(run), offset, length }, connections.hold);
          const bytes = await made;
          if (bytes === null) throw new Error("another invocation could not read the range");
          return bytes;
        },
        { ...this.#session, bytes: length },
      );
      if (bytes === null) return null;
      this.#usage.bytes += bytes.byteLength;
      this.#fresh.push({ run, bytes });
      return bytes;
    } catch (error) {
      if (error instanceof NoSubrequestLeft) this.#usage.leftOut += run.parts.length;
      return null;
    } finally {
      this.#inFlightBytes -= length;
    }
  }

  /** Caches runs as they were read, since like queries ask for the same lists; never one that is damaged. */
  async #keepFresh(cache: RunCache): Promise<void> {
    const { subrequests } = this.#session;
    const rank = ({ run }: FreshRun): number => CACHED_FIRST.indexOf(run.file);
    for (const { run, bytes } of this.#fresh.toSorted((a, b) => rank(a) - rank(b))) {
      if (subrequests.allowance(KEPT_FOR_RESULTS) === 0) break;
      await cache.put(run, bytes, subrequests);
    }
    this.#fresh = [];
    await cache.save(subrequests);
  }

  #admits(bytes: number): boolean {
    return this.#usage.bytes + this.#inFlightBytes + bytes <= SEARCH_BYTES_MAX;
  }
}

function isIntact(run: MergedRead, bytes: Uint8Array, piece: Piece): boolean {
  const part = partOf(run, bytes, piece);
  return part !== null && crc32c(part) === piece.checksum;
}
