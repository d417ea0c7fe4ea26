/** A base read whole from its object store. */
import { readPassages } from "@kattegat/engine/cold/base/base-passages.ts";
import { openDocuments } from "@kattegat/engine/cold/base/documents/document-part.ts";
import { mergePieces, partOf } from "@kattegat/engine/cold/base/coalesce.ts";
import type { ReadPieces } from "@kattegat/engine/cold/base/piece.ts";
import { ROOT_KIND } from "@kattegat/engine/cold/base/root.ts";
import { decodeSectionFile } from "@kattegat/engine/cold/base/section-file.ts";
import { crc32c } from "@kattegat/engine/cold/crc32c.ts";
import { rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ColdPassage } from "@kattegat/engine/cold/segment.ts";
import type { DocumentVersion } from "./cold-table.ts";

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

/** Reads neighbours at once; a piece that does not pass its checksum comes as null. */
function pieceReader(base: { readonly key: string }, readObject: ReadObject): ReadPieces {
  return async (pieces) => {
    const found = new Array<Uint8Array | null>(pieces.length).fill(null);
    for (const merged of mergePieces(pieces)) {
      const bytes = await readObject(
        volumeKey(base, merged.file, merged.volume),
        merged.offset,
        merged.length,
      );
      for (const place of merged.parts) {
        const piece = pieces[place];
        const part = piece === undefined ? null : partOf(merged, bytes, piece);
        found[place] = part !== null && crc32c(part) === piece?.checksum ? part : null;
      }
    }
    return found;
  };
}
