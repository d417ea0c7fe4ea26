import { crc32c } from "../crc32c.ts";
import { volumeKey } from "../manifest-base.ts";
import { mergePieces, partOf } from "./coalesce.ts";
import type { ReadPieces } from "./piece.ts";

/** Reads a range of an object; fewer bytes come when the object is shorter. */
export type ReadObject = (key: string, offset: number, length: number) => Promise<Uint8Array>;

/** Returns a reader of a base's pieces from the objects that hold them: neighbours at once, runs beside each other. */
export function piecesOf(base: { readonly key: string }, readObject: ReadObject): ReadPieces {
  return async (pieces) => {
    const found = new Array<Uint8Array | null>(pieces.length).fill(null);
    await Promise.all(
      mergePieces(pieces).map(async (merged) => {
        const key = volumeKey(base, merged.file, merged.volume);
        const bytes = await readObject(key, merged.offset, merged.length);
        for (const place of merged.parts) {
          const piece = pieces[place];
          const part = piece === undefined ? null : partOf(merged, bytes, piece);
          found[place] = part !== null && crc32c(part) === piece?.checksum ? part : null;
        }
      }),
    );
    return found;
  };
}
