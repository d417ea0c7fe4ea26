/** Reads hits by their rows. */
import { ColdFormatError } from "../../format-error.ts";
import { decodeHitBlock } from "./hit-block.ts";
import type { BaseHit, RowRange } from "../parts.ts";
import { decodePieces, type ReadPieces } from "../piece.ts";

export interface HitReader {
  readonly residentBytes: number;
  /** One hit for each row asked; null where its block could not be read. */
  hits(rows: readonly number[], read: ReadPieces): Promise<readonly (BaseHit | null)[]>;
  /** The hits of a range in the order of their rows. @throws {ColdFormatError} when a block could not be read. */
  range(range: RowRange, read: ReadPieces): AsyncGenerator<BaseHit>;
}

/** Blocks of one round of a merge: some megabytes decompressed. */
const ROUND_BLOCKS = 128;

/** Reads the resident table of blocks. @throws {ColdFormatError} when it does not fit the number of rows. */
export function decodeHitBlocks(firstRows: Uint8Array, table: Uint8Array, rows: number): HitReader {
  const pieces = decodePieces("hits", table);
  const firsts = new DataView(firstRows.buffer, firstRows.byteOffset, firstRows.byteLength);
  if (firstRows.byteLength !== pieces.count * 4 || (rows > 0 && pieces.count === 0))
    throw new ColdFormatError(`expected the first row of each of ${pieces.count} blocks of hits`);
  const firstOf = (block: number) => (block < pieces.count ? firsts.getUint32(block * 4, true) : rows);
  const decoded = (packed: Uint8Array, block: number) =>
    decodeHitBlock(packed, firstOf(block + 1) - firstOf(block));

  function blockOf(row: number): number {
    if (row < 0 || row >= rows) throw new RangeError(`expected a row below ${rows}, got ${row}`);
    let low = 0;
    let high = pieces.count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (firstOf(middle) <= row) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  return {
    residentBytes: firstRows.byteLength + table.byteLength,
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
        return hitsOf.get(block)?.[row - firstOf(block)] ?? null;
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
          const start = firstOf(block);
          yield* decoded(bytes, block).slice(Math.max(0, from - start), to - start);
        }
      }
    },
  };
}
