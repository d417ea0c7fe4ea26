/** The bases of a cold index as this isolate keeps them. */
import { mayCache } from "@kattegat/config/residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import type { BaseFile } from "@kattegat/engine/cold/base/piece.ts";
import { openBase, type ColdBase } from "@kattegat/engine/cold/base/base-index.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { cacheSeconds } from "@kattegat/engine/cold/removal.ts";
import { rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { ColdFormatError } from "@kattegat/engine/cold/segment.ts";
import type { Attempt } from "./bucket-attempt.ts";
import type { ReadElsewhere } from "./object-range.ts";
import { openSession, type PieceMemory, type PieceSession, type SessionOptions } from "./piece-reader.ts";
import type { CacheLike } from "./result-cache.ts";
import { createRunCaches, type ObjectKeys, type RunCache } from "./run-cache.ts";
import type { Subrequests } from "./subrequests.ts";
import { readWhole } from "./whole-object.ts";

/** What stays of all bases in an isolate of 128 MB; a base that needs more is refused, since the isolate would be ended. */
const RESIDENT_BYTES_MAX = 24 * 1_024 * 1_024;
/** A search lasts at most so long: nobody then reads the texts of the base that was replaced. */
const FORMER_MS_MAX = 10_000;

export interface OpenBase {
  readonly key: string;
  readonly base: ColdBase;
  /** @param files - which ones will be read; all by default. */
  session(options: SessionOptions, files?: readonly BaseFile[]): PieceSession;
}

export interface BaseShelf {
  /** Of all bases that are open on this shelf, two while one replaces the other. */
  readonly residentBytes: number;
  /** The base of this key, if it is open here. */
  find(key: string): OpenBase | null;
  /** Whether another base may be opened while the one in use stays open. */
  hasRoomFor(base: ManifestBase): boolean;
  /** @throws {ColdFormatError} for a root that is gone, damaged or too large. */
  open(base: ManifestBase, session: SessionOptions): Promise<OpenBase>;
  /** Gives up what is open; searches that have it already go on with it. */
  leave(): void;
}

export interface BaseShelfOptions {
  readonly bucket: R2Bucket;
  readonly elsewhere: ReadElsewhere | null;
  readonly network: Network;
  readonly zone: string;
  readonly memory: PieceMemory;
  readonly openCache: (colo: string) => Promise<CacheLike>;
  readonly attempt: Attempt;
  readonly now: () => number;
  readonly report: (error: unknown) => void;
  /** Of the isolate's other shelves. */
  readonly othersBytes?: () => number;
  readonly residentBytesMax?: number;
  /** Gives up bases of the isolate that are not searched together with this one's. */
  readonly makeRoom?: () => void;
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
    return (this.#current?.base.residentBytes ?? 0) + root.bytes <= this.#bytesMax;
  }

  /** For this shelf, as the others are now. */
  get #bytesMax(): number {
    const { othersBytes = () => 0, residentBytesMax = RESIDENT_BYTES_MAX } = this.#options;
    return residentBytesMax - othersBytes();
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
    if (!this.hasRoomFor(manifestBase)) this.#options.makeRoom?.();
    if (!this.hasRoomFor(manifestBase)) this.#current = null;
    if (!this.hasRoomFor(manifestBase))
      throw new ColdFormatError(
        `expected a root of ${this.#bytesMax} bytes at most, got ${manifestBase.root.bytes}`,
      );
    const root = await readWhole(
      {
        ...this.#options,
        secondsMax: this.#secondsMax(manifestBase),
        key: rootKey(manifestBase),
        bytes: manifestBase.root.bytes,
        open: (bytes) => (isWhole(bytes, manifestBase) ? bytes : null),
      },
      session,
    );
    if (root === null)
      throw new ColdFormatError(`expected the root of ${manifestBase.key} whole, got other bytes`);
    const base = openBase(root.value, columnMemory(this.#options.memory, manifestBase));
    if (base.residentBytes > this.#bytesMax)
      throw new ColdFormatError(
        `expected ${this.#bytesMax} resident bytes at most, got ${base.residentBytes}`,
      );
    const { network, zone, bucket, elsewhere, memory, attempt } = this.#options;
    const isCacheable = base.documents.classes.every((name) => mayCache(network, name, zone));
    if (isCacheable) session.subrequests.later(root.keep);
    const keyOf: ObjectKeys = ({ file, volume }) => volumeKey(manifestBase, file, volume);
    const reader = { bucket, elsewhere, memory, attempt, keyOf };
    const runsOf = isCacheable ? this.#runCaches(keyOf, manifestBase) : () => null;
    const open = {
      key: manifestBase.key,
      base,
      session: (opened: SessionOptions, files?: readonly BaseFile[]) =>
        openSession(reader, opened, {
          cache: runsOf(opened.colo),
          ...(files === undefined ? {} : { files }),
        }),
    };
    this.#replace(open);
    return open;
  }

  leave(): void {
    this.#current = null;
    this.#former = null;
  }

  #replace(open: OpenBase): void {
    const before = this.#current;
    // Another search has opened it meanwhile.
    if (before?.key === open.key) return;
    this.#current = open;
    this.#former = before === null ? null : { open: before, sinceMs: this.#options.now() };
    if (this.residentBytes > this.#bytesMax) this.#former = null;
  }

  #forgetFormer(): void {
    if (this.#former !== null && this.#options.now() - this.#former.sinceMs > FORMER_MS_MAX)
      this.#former = null;
  }

  #secondsMax(base: ManifestBase): number {
    return cacheSeconds([base], this.#options.network.limits.cache_seconds_max);
  }

  #runCaches(keyOf: ObjectKeys, base: ManifestBase): (colo: string) => RunCache {
    const { openCache, now, report } = this.#options;
    const secondsMax = this.#secondsMax(base);
    return createRunCaches({ keyOf, listKey: `${base.key}/runs`, secondsMax, openCache, now, report });
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
