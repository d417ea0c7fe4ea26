/** Compressed pieces as they were before. */
import { unpackBytes } from "./document-frame.ts";
import type { Piece, ReadPieces } from "./piece.ts";

/**
 * Remembers decompressed pieces of one base's columns between calls.
 *
 * Its owner bounds it, each item costing the bytes it is long; a `Map` will do where nothing needs a bound.
 */
export interface PieceMemory {
  get(name: string): Uint8Array | undefined;
  set(name: string, raw: Uint8Array): unknown;
}

/** Returns the pieces decompressed, in the order asked; null when one of them could not be read. */
export type ReadRaw = (pieces: readonly Piece[]) => Promise<readonly Uint8Array[] | null>;

/** Returns a reader that asks the memory first. */
export function createRawReader(read: ReadPieces, memory: PieceMemory | null): ReadRaw {
  return async (pieces) => {
    const known = pieces.map((piece) => memory?.get(nameOf(piece)));
    const asked = pieces.filter((_, at) => known[at] === undefined);
    const packed = asked.length === 0 ? [] : await read(asked);
    const raws: Uint8Array[] = [];
    let next = 0;
    for (const [at, piece] of pieces.entries()) {
      const remembered = known[at];
      if (remembered !== undefined) {
        raws.push(remembered);
        continue;
      }
      const bytes = packed[next] ?? null;
      next += 1;
      if (bytes === null) return null;
      const raw = unpackBytes(bytes);
      memory?.set(nameOf(piece), raw);
      raws.push(raw);
    }
    return raws;
  };
}

function nameOf({ file, volume, offset }: Piece): string {
  return `${file}/${volume}/${offset}`;
}
