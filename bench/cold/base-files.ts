/** A base on the local disk, read with accounting. */
import { mkdirSync, openSync, readFileSync, readSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openBase, type ColdBase } from "@kattegat/engine/cold/base/base-index.ts";
import { mergePieces } from "@kattegat/engine/cold/base/coalesce.ts";
import { BASE_FILES, type BaseFile, type Piece, type ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { keysOfBase, rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ManifestBase } from "@kattegat/engine/cold/manifest.ts";

/** What one search read. */
export interface Reading {
  bytes: number;
  /** Ranged reads, neighbours together. */
  reads: number;
  rounds: number;
}

export interface BaseFiles {
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** Bytes of each file, of the root. */
  sizes(base: ManifestBase): Readonly<Record<BaseFile | "root", number>>;
  open(base: ManifestBase): OpenFiles;
}

export interface OpenFiles {
  readonly base: ColdBase;
  readonly root: Uint8Array;
  readonly session: ReadingSession;
}

export type ReadingSession = () => { readonly read: ReadPieces; readonly reading: Reading };

export function baseFiles(folder: string): BaseFiles {
  const pathOf = (key: string): string => join(folder, key);
  return {
    put(key, bytes) {
      mkdirSync(dirname(pathOf(key)), { recursive: true });
      writeFileSync(pathOf(key), bytes);
      return Promise.resolve();
    },
    sizes(base) {
      const sizes = { root: 0, codes: 0, rows: 0, postings: 0, columns: 0 };
      for (const key of keysOfBase(base)) {
        const file = BASE_FILES.find((name) => key.startsWith(`${base.key}.${name}.`)) ?? "root";
        sizes[file] += statSync(pathOf(key)).size;
      }
      return sizes;
    },
    open(base) {
      const root = readFileSync(pathOf(rootKey(base)));
      return { base: openBase(root, null), root, session: readingSessions(folder, base.key) };
    },
  };
}

/** Each call is one search: reads its pieces from files, counts what the Worker would read. */
export function readingSessions(folder: string, key: string): ReadingSession {
  const files = new Map<string, number>();
  const bytesOf = ({ file, volume, offset, length }: Piece): Uint8Array => {
    const name = volumeKey({ key }, file, volume);
    const handle = files.get(name) ?? openSync(join(folder, name), "r");
    files.set(name, handle);
    const bytes = new Uint8Array(length);
    readSync(handle, bytes, 0, length, offset);
    return bytes;
  };
  return () => {
    const reading: Reading = { bytes: 0, reads: 0, rounds: 0 };
    const known = new Map<string, Uint8Array | null>();
    const nameOf = ({ file, volume, offset }: Piece): string => `${file} ${volume} ${offset}`;
    return {
      reading,
      read(pieces) {
        const fresh = pieces.filter((piece) => !known.has(nameOf(piece)));
        count(reading, fresh);
        for (const piece of fresh) {
          const bytes = bytesOf(piece);
          known.set(nameOf(piece), crc32c(bytes) === piece.checksum ? bytes : null);
        }
        return Promise.resolve(pieces.map((piece) => known.get(nameOf(piece)) ?? null));
      },
    };
  };
}

/** As the Worker reads: near pieces are one read, a piece asked twice is read once. */
function count(reading: Reading, pieces: readonly Piece[]): void {
  const reads = mergePieces(pieces);
  if (reads.length > 0) reading.rounds += 1;
  reading.reads += reads.length;
  reading.bytes += reads.reduce((sum, { length }) => sum + length, 0);
}
