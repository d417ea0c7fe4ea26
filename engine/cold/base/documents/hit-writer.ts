/** Cuts rows into blocks of hits. */
import type { Deflate } from "./document-frame.ts";
import { encodeHitBlock } from "./hit-block.ts";
import type { BaseHit } from "../parts.ts";
import { encodePieces, type Piece, type PieceWriter } from "../piece.ts";

export interface HitWriter {
  add(hit: BaseHit): Promise<void>;
  /** Writes the last block; returns the first row of each block, then where they are. */
  finish(): Promise<{ readonly firstRows: Uint8Array; readonly pieces: Uint8Array }>;
}

/** Characters of a block before compression. Half as many cost a quarter more bytes; twice as many, twice the time of each hit. */
const BLOCK_CHARACTERS = 16_384;

/** Numbers of a row with those of its document. */
const ROW_CHARACTERS = 40;

/** Returns a writer for the rows of a base, which come in their order. */
export function createHitWriter(writer: PieceWriter, deflate?: Deflate): HitWriter {
  const firstRows: number[] = [];
  const pieces: Piece[] = [];
  let block: BaseHit[] = [];
  let characters = 0;
  let rows = 0;
  const flush = async () => {
    if (block.length === 0) return;
    firstRows.push(rows - block.length);
    pieces.push(await writer.write("hits", encodeHitBlock(block, deflate)));
    block = [];
    characters = 0;
  };
  return {
    async add(hit) {
      characters += charactersOf(hit, block.at(-1) ?? null);
      block.push(hit);
      rows += 1;
      if (characters >= BLOCK_CHARACTERS) await flush();
    },
    async finish() {
      await flush();
      return {
        firstRows: new Uint8Array(Uint32Array.from(firstRows).buffer),
        pieces: encodePieces(pieces),
      };
    },
  };
}

/** What the row adds to its block, about: the fields of a document are there once. */
function charactersOf(hit: BaseHit, before: BaseHit | null): number {
  if (before?.documentId === hit.documentId) return hit.text.length + ROW_CHARACTERS;
  return (
    hit.text.length +
    hit.documentId.length +
    (before?.title === hit.title ? 0 : hit.title.length) +
    JSON.stringify(hit.metadata).length +
    ROW_CHARACTERS
  );
}
