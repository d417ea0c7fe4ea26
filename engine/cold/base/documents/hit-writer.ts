/** Cuts rows into blocks of hits. */
import type { Deflate } from "./document-frame.ts";
import { encodeHitBlock } from "./hit-block.ts";
import type { BaseHit } from "../parts.ts";
import { encodePieces, type Piece, type PieceWriter } from "../piece.ts";

export interface HitWriter {
  /** Writes the hits of the next rows as one block. */
  write(hits: readonly BaseHit[]): Promise<void>;
  /** Returns where the blocks are. */
  pieces(): Uint8Array;
}

/** Returns a writer for the rows of a base, which come in their order; blocks lie in the file of the rows, each behind the vectors of its rows. */
export function createHitWriter(writer: PieceWriter, deflate?: Deflate): HitWriter {
  const pieces: Piece[] = [];
  return {
    async write(hits) {
      pieces.push(await writer.write("rows", encodeHitBlock(hits, deflate)));
    },
    pieces: () => encodePieces(pieces),
  };
}
