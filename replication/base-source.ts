/** A base read whole from its object store. */
import { readPassages } from "@kattegat/engine/cold/base/base-passages.ts";
import { openDocuments } from "@kattegat/engine/cold/base/document-part.ts";
import type { Piece, ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import { ROOT_KIND } from "@kattegat/engine/cold/base/root.ts";
import { decodeSectionFile } from "@kattegat/engine/cold/base/section-file.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ColdPassage } from "@kattegat/engine/cold/segment.ts";
import type { DocumentVersion } from "./cold-table.ts";

/** Pieces lie one behind another: a read of so many saves the time of a hundred. */
const READ_BYTES_MAX = 4 * 1_024 * 1_024;

export type ReadObject = (key: string, offset: number, length: number) => Promise<Uint8Array>;

export interface BaseSource {
  /** Every passage, in the order of rows, but for documents that are left out. */
  passages(isKept: (document: number) => boolean): AsyncGenerator<ColdPassage>;
  /** In the order of their numbers. */
  documents(): Promise<readonly DocumentVersion[]>;
}

/** @throws {ColdFormatError} in any method when something is missing or damaged. */
export async function openBaseSource(
  base: { readonly key: string; readonly rootBytes: number },
  readObject: ReadObject,
): Promise<BaseSource> {
  const root = await readObject(rootKey(base), 0, base.rootBytes);
  const read = pieceReader(base, readObject);
  return {
    passages: (isKept) => readPassages(root, { read, isKept }),
    async documents() {
      const part = openDocuments(decodeSectionFile(root, ROOT_KIND));
      const listed = new Array<DocumentVersion>(part.documents);
      for await (const { document, documentId, version } of part.documentsOf(read))
        listed[document] = { documentId, version };
      return listed;
    },
  };
}

/** Reads runs of neighbours at once; a piece that does not pass its checksum comes as null. */
function pieceReader(base: { readonly key: string }, readObject: ReadObject): ReadPieces {
  return async (pieces) => {
    const found: (Uint8Array | null)[] = [];
    for (const run of runsOf(pieces)) {
      const [first] = run;
      const last = run.at(-1);
      if (first === undefined || last === undefined) continue;
      const key = volumeKey(base, first.file, first.volume);
      const bytes = await readObject(key, first.offset, last.offset + last.length - first.offset);
      for (const { offset, length, checksum } of run) {
        const part = bytes.subarray(offset - first.offset, offset - first.offset + length);
        found.push(part.byteLength === length && crc32c(part) === checksum ? part : null);
      }
    }
    return found;
  };
}

function runsOf(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const runs: Piece[][] = [];
  for (const piece of pieces) {
    const run = runs.at(-1);
    const [first] = run ?? [];
    const before = run?.at(-1);
    const isNext =
      first !== undefined &&
      before !== undefined &&
      before.file === piece.file &&
      before.volume === piece.volume &&
      before.offset + before.length === piece.offset &&
      piece.offset + piece.length - first.offset <= READ_BYTES_MAX;
    if (isNext) run?.push(piece);
    else runs.push([piece]);
  }
  return runs;
}
