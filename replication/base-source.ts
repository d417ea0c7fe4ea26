/** A base read whole from its object store. */
import { readPassages } from "@kattegat/engine/cold/base/base-passages.ts";
import { openDocuments } from "@kattegat/engine/cold/base/documents/document-part.ts";
import { piecesOf, type ReadObject } from "@kattegat/engine/cold/base/object-pieces.ts";
import { ROOT_KIND } from "@kattegat/engine/cold/base/root.ts";
import { decodeSectionFile } from "@kattegat/engine/cold/base/section-file.ts";
import { rootKey } from "@kattegat/engine/cold/manifest-base.ts";
import type { ColdPassage } from "@kattegat/engine/cold/segment.ts";
import type { DocumentVersion } from "./cold-table.ts";

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
  const read = piecesOf(base, readObject);
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
