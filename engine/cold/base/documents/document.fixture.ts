/** A base's documents in memory, for tests. */
import type { Filter } from "@kattegat/protocol/filter.ts";
import { forEachBit } from "../../../index/bitmap.ts";
import { crc32c } from "../../crc32c.ts";
import { openDocuments } from "./document-part.ts";
import type { PieceMemory } from "./document-pieces.ts";
import { createDocumentsWriter } from "./document-writer.ts";
import type { Deflate } from "./document-frame.ts";
import type { BaseHit, DocumentPart } from "../parts.ts";
import type { BaseFile, Piece, PieceWriter, ReadPieces } from "../piece.ts";

export interface MemoryFiles extends PieceWriter {
  readonly read: ReadPieces;
  /** Pieces read so far. */
  readonly readPieces: readonly Piece[];
  /** Bytes written to a file. */
  bytesOf(file: BaseFile): number;
  /** Replaces what is read of pieces: null is a piece that is gone. */
  damage(map: (piece: Piece, bytes: Uint8Array) => Uint8Array | null): void;
}

/** Returns files that keep their pieces. */
export function createMemoryFiles(): MemoryFiles {
  const files = new Map<BaseFile, { readonly pieces: Map<number, Uint8Array>; bytes: number }>();
  const fileOf = (name: BaseFile) => {
    const file = files.get(name) ?? { pieces: new Map<number, Uint8Array>(), bytes: 0 };
    files.set(name, file);
    return file;
  };
  const readPieces: Piece[] = [];
  let damaged: (piece: Piece, bytes: Uint8Array) => Uint8Array | null = (_, bytes) => bytes;
  return {
    readPieces,
    bytesOf: (name) => fileOf(name).bytes,
    damage(map) {
      damaged = map;
    },
    async write(name, bytes) {
      const file = fileOf(name);
      const offset = file.bytes;
      file.pieces.set(offset, bytes);
      file.bytes += bytes.byteLength;
      return { file: name, volume: 0, offset, length: bytes.byteLength, checksum: crc32c(bytes) };
    },
    read: async (pieces) =>
      pieces.map((piece) => {
        readPieces.push(piece);
        const bytes = fileOf(piece.file).pieces.get(piece.offset);
        return bytes === undefined ? null : damaged(piece, bytes);
      }),
  };
}

export interface WrittenDocuments {
  readonly part: DocumentPart;
  readonly files: MemoryFiles;
  readonly sections: ReadonlyMap<string, Uint8Array>;
}

const ROWS_PER_BLOCK = 32;

/** Writes the passages, then opens what was written. */
export async function writtenDocuments(
  passages: readonly BaseHit[],
  { deflate, ...options }: { readonly memory?: PieceMemory; readonly deflate?: Deflate } = {},
): Promise<WrittenDocuments> {
  const files = createMemoryFiles();
  const writer = createDocumentsWriter(files, {
    rowsPerBlock: ROWS_PER_BLOCK,
    ...(deflate === undefined ? {} : { deflate }),
  });
  for (let from = 0; from < passages.length; from += ROWS_PER_BLOCK)
    await writer.write(passages.slice(from, from + ROWS_PER_BLOCK));
  const sections = await writer.finish();
  return { part: openDocuments(sections, options), files, sections };
}

/** Returns the rows that pass; null when a piece could not be read. */
export async function selectedRows(
  part: DocumentPart,
  filter: Filter,
  read: ReadPieces,
): Promise<readonly number[] | null> {
  const set = await part.select(filter, read);
  const rows: number[] = [];
  if (set !== null) forEachBit(set, (row) => rows.push(row));
  return set === null ? null : rows;
}
