/** The bases of a cold index as this isolate keeps them. */
import { mayCache } from "@kattegat/config/residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import { openBase, type ColdBase } from "@kattegat/engine/cold/base/base-index.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { rootKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { ColdFormatError } from "@kattegat/engine/cold/segment.ts";
import type { Attempt } from "./bucket-attempt.ts";
import { openSession, type PieceMemory, type PieceSession, type SessionOptions } from "./piece-reader.ts";
import type { CacheLike } from "./result-cache.ts";
import { createRunCache, type RunCache } from "./run-cache.ts";
import type { Subrequests } from "./subrequests.ts";

/** What stays of bases in an isolate of 128 MB; a base that needs more is refused, since the isolate would be ended. */
export const RESIDENT_BYTES_MAX = 24 * 1_024 * 1_024;
/** As for its pieces: the key is never used again. */
const ROOT_CACHE_CONTROL = "max-age=604800, immutable";
/** A search lasts at most so long: nobody then reads the texts of the base that was replaced. */
const FORMER_MS_MAX = 10_000;
/** The local network's isolate stands for many locations; in production all requests of an isolate come from one. */
const COLOS_MAX = 64;

export interface OpenBase {
  readonly key: string;
  readonly base: ColdBase;
  session(options: SessionOptions): PieceSession;
}

export interface BaseShelf {
  /** Of all bases that are open here, two while one replaces the other. */
  readonly residentBytes: number;
  /** The base of this key, if it is open here. */
  find(key: string): OpenBase | null;
  /** Whether another base may be opened while the one in use stays open. */
  hasRoomFor(base: ManifestBase): boolean;
  /** @throws {ColdFormatError} for a root that is gone, damaged or too large. */
  open(base: ManifestBase, session: SessionOptions): Promise<OpenBase>;
}

export interface BaseShelfOptions {
  readonly bucket: R2Bucket;
  readonly network: Network;
  readonly zone: string;
  readonly memory: PieceMemory;
  readonly openCache: (colo: string) => Promise<CacheLike>;
  readonly attempt: Attempt;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
}

export function createBaseShelf(options: BaseShelfOptions): BaseShelf {
  return new Shelf(options);
}

class Shelf implements BaseShelf {
  readonly #options: BaseShelfOptions;
  #current: OpenBase | null = null;
  /** The one before, for searches that began with it. */
  #former: { readonly open: OpenBase; readonly sinceMs: number } | null = null;

  /** Of one search alone: it may ask for a base twice, and may not wait for what another one reads. */
  readonly #opening = new WeakMap<Subrequests, Map<string, Promise<OpenBase>>>();

  constructor(options: BaseShelfOptions) {
    this.#options = options;
  }

  get residentBytes(): number {
    return (this.#current?.base.residentBytes ?? 0) + (this.#former?.open.base.residentBytes ?? 0);
  }

  find(key: string): OpenBase | null {
    this.#forgetFormer();
    if (this.#current?.key === key) return this.#current;
    return this.#former?.open.key === key ? this.#former.open : null;
  }

  hasRoomFor({ root }: ManifestBase): boolean {
    return (this.#current?.base.residentBytes ?? 0) + root.bytes <= RESIDENT_BYTES_MAX;
  }

  async open(manifestBase: ManifestBase, session: SessionOptions): Promise<OpenBase> {
    const known = this.find(manifestBase.key);
    if (known !== null) return known;
    const { subrequests } = session;
    const opening =
      this.#opening.get(subrequests)?.get(manifestBase.key) ?? this.#read(manifestBase, session);
    const others = this.#opening.get(subrequests) ?? new Map<string, Promise<OpenBase>>();
    this.#opening.set(subrequests, others.set(manifestBase.key, opening));
    return opening;
  }

  async #read(manifestBase: ManifestBase, session: SessionOptions): Promise<OpenBase> {
    if (!this.hasRoomFor(manifestBase)) this.#current = null;
    const { bytes, keep } = await this.#rootOf(manifestBase, session);
    const base = openBase(bytes, columnMemory(this.#options.memory, manifestBase));
    if (base.residentBytes > RESIDENT_BYTES_MAX)
      throw new ColdFormatError(
        `expected ${RESIDENT_BYTES_MAX} resident bytes at most, got ${base.residentBytes}`,
      );
    const { network, zone, bucket, memory, attempt } = this.#options;
    const isCacheable = base.documents.classes.every((name) => mayCache(network, name, zone));
    if (isCacheable) session.subrequests.later(keep);
    const reader = { bucket, memory, attempt, base: manifestBase };
    const runsOf = isCacheable ? this.#runCaches(manifestBase) : () => null;
    const open = {
      key: manifestBase.key,
      base,
      session: (opened: SessionOptions) => openSession(reader, opened, runsOf(opened.colo)),
    };
    this.#replace(open);
    return open;
  }

  #replace(open: OpenBase): void {
    const before = this.#current;
    // Another search has opened it meanwhile.
    if (before?.key === open.key) return;
    this.#current = open;
    this.#former = before === null ? null : { open: before, sinceMs: this.#options.now() };
    if (this.residentBytes > RESIDENT_BYTES_MAX) this.#former = null;
  }

  #forgetFormer(): void {
    if (this.#former !== null && this.#options.now() - this.#former.sinceMs > FORMER_MS_MAX)
      this.#former = null;
  }

  #runCaches(base: ManifestBase): (colo: string) => RunCache {
    const { openCache, now, report } = this.#options;
    const caches = new Map<string, RunCache>();
    return (colo) => {
      const cache = caches.get(colo) ?? createRunCache({ base, open: () => openCache(colo), now, report });
      caches.delete(colo);
      caches.set(colo, cache);
      const [oldest] = caches.keys();
      if (caches.size > COLOS_MAX && oldest !== undefined) caches.delete(oldest);
      return cache;
    };
  }

  /** From the cache or the bucket; `keep` caches one that came from the bucket. */
  async #rootOf(
    base: ManifestBase,
    session: SessionOptions,
  ): Promise<{ readonly bytes: Uint8Array; readonly keep: () => Promise<void> }> {
    const { bucket, attempt, openCache, report } = this.#options;
    const { colo, subrequests } = session;
    const url = `https://cold-pieces.invalid/${rootKey(base)}`;
    const cache = await openCache(colo).catch(() => null);
    const response = subrequests.take() ? await cache?.match(url).catch(() => undefined) : undefined;
    const cached = response === undefined ? null : new Uint8Array(await response.arrayBuffer());
    if (cached !== null && isWhole(cached, base)) return { bytes: cached, keep: () => Promise.resolve() };
    const read = await attempt(
      async () => {
        const object = await bucket.get(rootKey(base));
        return object === null ? null : new Uint8Array(await object.arrayBuffer());
      },
      { ...session, bytes: base.root.bytes },
    );
    if (read === null || !isWhole(read, base))
      throw new ColdFormatError(`expected the root of ${base.key} whole, got other bytes`);
    const keep = async (): Promise<void> => {
      const answer = new Response(read, { headers: { "cache-control": ROOT_CACHE_CONTROL } });
      if (cache !== null && subrequests.take()) await cache.put(url, answer).catch(report);
    };
    return { bytes: read, keep };
  }
}

/** Decompressed columns share the memory of pieces; their names are the same in every base. */
function columnMemory(memory: PieceMemory, { key }: ManifestBase): PieceMemory {
  return {
    get: (name) => memory.get(`${key} ${name}`),
    set: (name, bytes) => memory.set(`${key} ${name}`, bytes),
  };
}

function isWhole(bytes: Uint8Array, { root }: ManifestBase): boolean {
  return bytes.byteLength === root.bytes && crc32c(bytes) === Number.parseInt(root.checksum, 16);
}
