/** The runs of immutable objects that one Cloudflare location has in its cache. */
import { BASE_FILES, type BaseFile, type Piece } from "@kattegat/engine/cold/base/piece.ts";
import { RecentMap } from "@kattegat/protocol/recent-map.ts";
import { z } from "zod";
import type { CacheLike } from "./result-cache.ts";
import type { Subrequests } from "./subrequests.ts";

/** Some hundred searches' runs, 30 bytes each in the list; the one added longest ago is forgotten. */
const RUNS_MAX = 4_096;
/** So often at most an isolate writes down what it knows, for the isolates that come after it. */
const SAVE_MS = 5_000;
const COLOS_MAX = 64;

/** A range of a volume that was read at once. */
export interface Run {
  readonly file: BaseFile;
  readonly volume: number;
  readonly offset: number;
  readonly length: number;
}

/**
 * Knows what is in the cache, since to ask costs a subrequest for each run: what this isolate put there, and what others
 * wrote down. What it does not know of is read from the bucket; what was evicted costs one subrequest more.
 */
export interface RunCache {
  /** Reads once what others wrote down. */
  load(subrequests: Subrequests): Promise<void>;
  /** The run in the cache that holds the piece; null when none is known. */
  runOf(piece: Piece): Run | null;
  match(run: Run, subrequests: Subrequests): Promise<Uint8Array | null>;
  put(run: Run, bytes: Uint8Array, subrequests: Subrequests): Promise<void>;
  save(subrequests: Subrequests): Promise<void>;
}

/** Names the object that a run or a piece is in. */
export type ObjectKeys = (place: Pick<Run, "file" | "volume">) => string;

export interface RunCacheOptions {
  readonly keyOf: ObjectKeys;
  /** Of the list of runs; of no object. */
  readonly listKey: string;
  readonly open: () => Promise<CacheLike>;
  /** Keys are never used again; this bounds how long a dead object's runs rest. */
  readonly secondsMax: number;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

/** Returns the run cache of each location: the local network's isolate stands for many, in production all requests of an isolate come from one. */
export function createRunCaches({
  openCache,
  ...common
}: Omit<RunCacheOptions, "open"> & { readonly openCache: (colo: string) => Promise<CacheLike> }): (
  colo: string,
) => RunCache {
  const caches = new RecentMap<string, RunCache>(COLOS_MAX);
  return (colo) => {
    const cache = caches.get(colo) ?? createRunCache({ ...common, open: () => openCache(colo) });
    caches.set(colo, cache);
    return cache;
  };
}

export function createRunCache(options: RunCacheOptions): RunCache {
  return new LocationRuns(options);
}

const listSchema = z.array(z.tuple([z.enum(BASE_FILES), z.int(), z.int(), z.int()])).max(RUNS_MAX);

class LocationRuns implements RunCache {
  readonly #options: RunCacheOptions;
  /** By name, in the order in which they were added. */
  readonly #runs = new Map<string, Run>();
  readonly #byVolume = new Map<string, Set<Run>>();
  #isLoaded = false;
  #isChanged = false;
  #savedMs = Number.NEGATIVE_INFINITY;

  constructor(options: RunCacheOptions) {
    this.#options = options;
  }

  async load(subrequests: Subrequests): Promise<void> {
    if (this.#isLoaded || !subrequests.take()) return;
    this.#isLoaded = true;
    const bytes = await this.#get(this.#listUrl());
    if (bytes === null) return;
    try {
      const list = listSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
      for (const [file, volume, offset, length] of list) this.#add({ file, volume, offset, length });
    } catch (error) {
      this.#options.report(error);
    }
  }

  runOf({ file, volume, offset, length }: Piece): Run | null {
    for (const run of this.#byVolume.get(`${file}.${volume}`) ?? [])
      if (run.offset <= offset && offset + length <= run.offset + run.length) return run;
    return null;
  }

  async match(run: Run, subrequests: Subrequests): Promise<Uint8Array | null> {
    if (!subrequests.take()) return null;
    const bytes = await subrequests.connections.hold(this.#get(this.#urlOf(run)));
    if (bytes?.byteLength === run.length) return bytes;
    this.#forget(run);
    return null;
  }

  async put(run: Run, bytes: Uint8Array, subrequests: Subrequests): Promise<void> {
    if (this.#runs.has(nameOf(run)) || !subrequests.take()) return;
    if (await this.#set(this.#urlOf(run), bytes, "application/octet-stream")) {
      this.#add(run);
      this.#isChanged = true;
    }
  }

  async save(subrequests: Subrequests): Promise<void> {
    const { now } = this.#options;
    if (!this.#isChanged || now() - this.#savedMs < SAVE_MS || !subrequests.take()) return;
    this.#savedMs = now();
    this.#isChanged = false;
    const list = [...this.#runs.values()].map(({ file, volume, offset, length }) => [
      file,
      volume,
      offset,
      length,
    ]);
    await this.#set(this.#listUrl(), new TextEncoder().encode(JSON.stringify(list)), "application/json");
  }

  #add(run: Run): void {
    this.#forget(run);
    const volume = `${run.file}.${run.volume}`;
    const others = this.#byVolume.get(volume) ?? new Set();
    this.#byVolume.set(volume, others.add(run));
    this.#runs.set(nameOf(run), run);
    const [oldest] = this.#runs.values();
    if (this.#runs.size > RUNS_MAX && oldest !== undefined) this.#forget(oldest);
  }

  #forget(run: Run): void {
    const known = this.#runs.get(nameOf(run));
    if (known === undefined) return;
    this.#runs.delete(nameOf(run));
    this.#byVolume.get(`${known.file}.${known.volume}`)?.delete(known);
  }

  async #get(url: string): Promise<Uint8Array | null> {
    try {
      const response = await (await this.#options.open()).match(url);
      return response === undefined ? null : new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      this.#options.report(error);
      return null;
    }
  }

  async #set(url: string, bytes: Uint8Array, type: string): Promise<boolean> {
    const isList = type === "application/json";
    const age = `max-age=${this.#options.secondsMax}`;
    const control = isList ? age : `${age}, immutable`;
    const headers = { "content-type": type, "cache-control": control };
    try {
      await (await this.#options.open()).put(url, new Response(bytes.slice(), { headers }));
      return true;
    } catch (error) {
      this.#options.report(error);
      return false;
    }
  }

  #urlOf(run: Run): string {
    return `https://cold-pieces.invalid/${this.#options.keyOf(run)}/${nameOf(run)}`;
  }

  #listUrl(): string {
    return `https://cold-pieces.invalid/${this.#options.listKey}`;
  }
}

function nameOf({ file, volume, offset, length }: Run): string {
  return `${file}.${volume}/${offset}-${length}`;
}
