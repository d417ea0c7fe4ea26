/** Reads hits by their rows. */
import { ColdFormatError } from "../../format-error.ts";
import { decodeHitBlock } from "./hit-block.ts";
import type { BaseHit, RowRange } from "../parts.ts";
import { decodePieces, PIECE_BYTES, type PieceTable, type ReadPieces } from "../piece.ts";

export interface HitReader {
  readonly residentBytes: number;
  /** The pieces of the blocks. */
  readonly pieces: PieceTable;
  /** One hit for each row asked; null where its block could not be read. */
  hits(rows: readonly number[], read: ReadPieces): Promise<readonly (BaseHit | null)[]>;
  /** The hits of a range in the order of their rows. @throws {ColdFormatError} when a block could not be read. */
  range(range: RowRange, read: ReadPieces): AsyncGenerator<BaseHit>;
}

/** Blocks of one round of a merge: some megabytes decompressed. */
const ROUND_BLOCKS = 128;

/** Reads the resident table of blocks. @throws {ColdFormatError} when it does not fit the number of rows. */
export function decodeHitBlocks(
  table: Uint8Array,
  { rows, rowsPerBlock }: { readonly rows: number; readonly rowsPerBlock: number },
): HitReader {
  const pieces = decodePieces("rows", table);
  const count = rowsPerBlock > 0 ? Math.ceil(rows / rowsPerBlock) : 0;
  if (pieces.count !== count || table.byteLength !== count * PIECE_BYTES || (rows > 0 && count === 0))
    throw new ColdFormatError(`expected ${count} blocks of hits, got ${pieces.count}`);
  const decoded = (packed: Uint8Array, block: number) =>
    decodeHitBlock(packed, Math.min(rowsPerBlock, rows - block * rowsPerBlock));

  function blockOf(row: number): number {
    if (row < 0 || row >= rows) throw new RangeError(`expected a row below ${rows}, got ${row}`);
    return Math.floor(row / rowsPerBlock);
  }

  return {
    residentBytes: table.byteLength,
    pieces,
    async hits(wanted, read) {
      const blocks = [...new Set(wanted.map(blockOf))].toSorted((left, right) => left - right);
      const packed = blocks.length === 0 ? [] : await read(blocks.map(pieces.at));
      const hitsOf = new Map<number, readonly BaseHit[]>();
      blocks.forEach((block, at) => {
        const bytes = packed[at] ?? null;
        if (bytes !== null) hitsOf.set(block, decoded(bytes, block));
      });
      return wanted.map((row) => {
        const block = blockOf(row);
        return hitsOf.get(block)?.[row % rowsPerBlock] ?? null;
      });
    },
    async *range({ from, to }, read) {
      if (from >= to) return;
      const last = blockOf(to - 1);
      for (let first = blockOf(from); first <= last; first += ROUND_BLOCKS) {
        const count = Math.min(ROUND_BLOCKS, last + 1 - first);
        const packed = await read(Array.from({ length: count }, (_, at) => pieces.at(first + at)));
        for (const [at, bytes] of packed.entries()) {
          const block = first + at;
          if (bytes === null)
            throw new ColdFormatError(`expected block ${block} of hits, but it could not be read`);
          const start = block * rowsPerBlock;
          yield* decoded(bytes, block).slice(Math.max(0, from - start), to - start);
        }
      }
    },
  };
}
