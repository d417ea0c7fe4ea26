/** The objects that a base consists of beside its root, each cut into volumes. */
export const BASE_FILES = ["codes", "rows", "postings", "columns"] as const;
export type BaseFile = (typeof BASE_FILES)[number];

/** A range of one volume, with the CRC-32C of its bytes. */
export interface Piece {
  readonly file: BaseFile;
  readonly volume: number;
  readonly offset: number;
  readonly length: number;
  readonly checksum: number;
}

/**
 * Reads pieces in one parallel round, in the order asked.
 *
 * What comes has passed its checksum; a piece that is gone, cut off, damaged or not there in time comes as null, so that
 * a search goes on without it and says so.
 */
export type ReadPieces = (pieces: readonly Piece[]) => Promise<readonly (Uint8Array | null)[]>;

/** Takes the pieces of a base that is being made, file by file. */
export interface PieceWriter {
  /** Resolves with where the bytes will be; they never straddle two volumes. */
  write(file: BaseFile, bytes: Uint8Array): Promise<Piece>;
}

/** Pieces of one file: file name aside, sixteen bytes each. */
export const PIECE_BYTES = 16;

/** Returns the pieces as volume, offset, length, checksum: four uint32 each. */
export function encodePieces(pieces: readonly Piece[]): Uint8Array {
  const numbers = new Uint32Array(pieces.length * 4);
  pieces.forEach(({ volume, offset, length, checksum }, at) => {
    numbers.set([volume, offset, length, checksum], at * 4);
  });
  return new Uint8Array(numbers.buffer);
}

export interface PieceTable {
  readonly count: number;
  at(number: number): Piece;
}

/** Returns the table as it stands, so nothing is built per piece. */
export function decodePieces(file: BaseFile, bytes: Uint8Array): PieceTable {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.floor(bytes.byteLength / PIECE_BYTES);
  return {
    count,
    at(number) {
      if (number < 0 || number >= count)
        throw new RangeError(`expected a piece below ${count}, got ${number}`);
      const from = number * PIECE_BYTES;
      return {
        file,
        volume: view.getUint32(from, true),
        offset: view.getUint32(from + 4, true),
        length: view.getUint32(from + 8, true),
        checksum: view.getUint32(from + 12, true),
      };
    },
  };
}
