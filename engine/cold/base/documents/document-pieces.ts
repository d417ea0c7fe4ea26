/** Compressed pieces as they were before. */
import { unpackBytes } from "./document-frame.ts";
import type { Piece, ReadPieces } from "../piece.ts";

/**
 * Remembers decompressed pieces of one base's columns between calls.
 *
 * Its owner bounds it, each item costing the bytes it is long; a `Map` will do where nothing needs a bound.
 */
export interface PieceMemory {
  get(name: string): Uint8Array | undefined;
  set(name: string, raw: Uint8Array): unknown;
}

/** Compressed bytes of one round, also of all that a selection has in flight: some ten megabytes decompressed. */
const ROUND_BYTES = 1_048_576;

/** Returns the pieces decompressed, in the order asked; null when one of them could not be read. */
export type ReadRaw = (pieces: readonly Piece[]) => Promise<readonly Uint8Array[] | null>;

/**
 * Returns a reader that asks the memory first.
 *
 * Of calls at the same time those wait that would have more in flight than a round, since each condition of a hostile
 * filter may ask for a whole column.
 */
export function createRawReader(read: ReadPieces, memory: PieceMemory | null): ReadRaw {
  let inFlightBytes = 0;
  const waiting: (() => void)[] = [];
  const readWithin = async (pieces: readonly Piece[]) => {
    const bytes = pieces.reduce((sum, { length }) => sum + length, 0);
    while (inFlightBytes > 0 && inFlightBytes + bytes > ROUND_BYTES)
      await new Promise<void>((resolve) => waiting.push(resolve));
    inFlightBytes += bytes;
    try {
      return await read(pieces);
    } finally {
      inFlightBytes -= bytes;
      for (const wake of waiting.splice(0)) wake();
    }
  };
  return async (pieces) => {
    const known = pieces.map((piece) => memory?.get(nameOf(piece)));
    const asked = pieces.filter((_, at) => known[at] === undefined);
    const packed = asked.length === 0 ? [] : await readWithin(asked);
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

/** Cuts items into rounds of reads, one item at least in each. */
export function roundsOf<Item>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
): readonly (readonly Item[])[] {
  const rounds: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    bytes += bytesOf(item);
    const round = rounds.at(-1);
    if (round === undefined || bytes > ROUND_BYTES) {
      rounds.push([item]);
      bytes = bytesOf(item);
    } else {
      round.push(item);
    }
  }
  return rounds;
}

function nameOf({ file, volume, offset }: Piece): string {
  return `${file}/${volume}/${offset}`;
}
