/** The base of a cold index as this isolate keeps it. */
import { mayCache } from "@kattegat/config/residency.ts";
import type { Network } from "@kattegat/config/network.ts";
import { openBase, type ColdBase } from "@kattegat/engine/cold/base/base-index.ts";
import type { Piece } from "@kattegat/engine/cold/base/piece.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";
import { ColdFormatError } from "@kattegat/engine/cold/segment.ts";
import { openSession, type PieceMemory, type PieceSession, type SessionOptions } from "./piece-reader.ts";
import type { CacheLike } from "./result-cache.ts";
import { readWhole } from "./whole-object.ts";

/** What stays of a base in an isolate of 128 MB; a base that needs more is refused, since the isolate would be ended. */
const RESIDENT_BYTES_MAX = 24 * 1_024 * 1_024;

export interface OpenBase {
  readonly key: string;
  readonly base: ColdBase;
  session(options: SessionOptions): PieceSession;
}

export interface BaseShelf {
  readonly residentBytes: number;
  /** @throws {ColdFormatError} for a root that is gone, damaged or too large. */
  open(base: ManifestBase, session: Pick<SessionOptions, "colo" | "defer">): Promise<OpenBase>;
}

export interface BaseShelfOptions {
  readonly bucket: R2Bucket;
  readonly network: Network;
  readonly zone: string;
  readonly memory: PieceMemory;
  readonly openCache: (colo: string) => Promise<CacheLike>;
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (timeMs: number) => Promise<void>;
  readonly report: (error: unknown) => void;
}

/** Keeps the base that was asked for last: a new one replaces the old when the manifest names it. */
export function createBaseShelf(options: BaseShelfOptions): BaseShelf {
  let held: OpenBase | null = null;

  async function rootOf(base: ManifestBase, session: Pick<SessionOptions, "colo" | "defer">) {
    const open = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> | null => checked(bytes, base);
    const root = await readWhole({ ...options, key: rootKey(base), open }, session);
    if (root === null) throw new ColdFormatError(`expected the root of ${base.key} whole, got other bytes`);
    return root;
  }

  return {
    get residentBytes() {
      return held?.base.residentBytes ?? 0;
    },
    async open(manifestBase, session) {
      if (held?.key === manifestBase.key) return held;
      const root = await rootOf(manifestBase, session);
      const base = openBase(root.value, columnMemory(options.memory, manifestBase));
      if (base.residentBytes > RESIDENT_BYTES_MAX)
        throw new ColdFormatError(
          `expected ${RESIDENT_BYTES_MAX} resident bytes at most, got ${base.residentBytes}`,
        );
      const { classes } = base.documents;
      const isCacheable = classes.every((name) => mayCache(options.network, name, options.zone));
      if (isCacheable) root.keep();
      const reader = {
        ...options,
        keyOf: ({ file, volume }: Pick<Piece, "file" | "volume">) => volumeKey(manifestBase, file, volume),
        openCache: isCacheable ? options.openCache : null,
      };
      held = { key: manifestBase.key, base, session: (session) => openSession(reader, session) };
      return held;
    },
  };
}

/** Decompressed columns share the memory of pieces; their names are the same in every base. */
function columnMemory(memory: PieceMemory, { key }: ManifestBase): PieceMemory {
  return {
    get: (name) => memory.get(`${key} ${name}`),
    set: (name, bytes) => memory.set(`${key} ${name}`, bytes),
  };
}

function checked(bytes: Uint8Array<ArrayBuffer>, { root }: ManifestBase): Uint8Array<ArrayBuffer> | null {
  const isWhole = bytes.byteLength === root.bytes && crc32c(bytes) === Number.parseInt(root.checksum, 16);
  return isWhole ? bytes : null;
}
