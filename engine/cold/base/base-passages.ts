import { ColdFormatError } from "../format-error.ts";
import type { ColdPassage } from "../passage.ts";
import { decodeDirectory, type DenseDirectory } from "./dense/dense-directory.ts";
import { decodeRowBlock } from "./dense/dense-rows.ts";
import { openDocuments } from "./documents/document-part.ts";
import { readVectors } from "./lexical/lexical-vectors.ts";
import type { BaseHit, DocumentPart } from "./parts.ts";
import type { ReadPieces } from "./piece.ts";
import { ROOT_KIND } from "./root.ts";
import { decodeSectionFile } from "./section-file.ts";

/** Blocks of rows in one round of reads: 0.8 MB of vectors. */
const ROUND_BLOCKS = 64;

/**
 * Yields every passage of a base as it was written, in the order of rows, but for documents that are left out.
 *
 * A block that is lost is nothing to miss where all of its documents are left out, since their copies were brought anew. @throws
 * {ColdFormatError} when another piece could not be read: a base made without it would have lost documents.
 */
export async function* readPassages(
  root: Uint8Array,
  { read, isKept }: { readonly read: ReadPieces; readonly isKept: (document: number) => boolean },
): AsyncGenerator<ColdPassage> {
  const sections = decodeSectionFile(root, ROOT_KIND);
  const documents = openDocuments(sections);
  const directory = decodeDirectory(sections);
  const hits = readHits(documents, { ...directory, read });
  const denses = readRows(directory, read);
  const sparses = readVectors(sections, { read });
  let row = -1;
  for await (const hit of hits) {
    row += 1;
    const dense = await denses.next();
    const sparse = await sparses.next();
    if (dense.done === true || sparse.done === true)
      throw new ColdFormatError(`expected vectors for row ${row}, there are fewer`);
    if (!isKept(documents.documentOf(row))) continue;
    if (hit === null || dense.value === null)
      throw new ColdFormatError(`expected row ${row}, but its block could not be read`);
    yield { ...hit, dense: dense.value, sparse: sparse.value };
  }
}

/** Null for a row whose block could not be read. */
async function* readHits(
  { rows, hits }: Pick<DocumentPart, "rows" | "hits">,
  { rowsPerBlock, read }: { readonly rowsPerBlock: number; readonly read: ReadPieces },
): AsyncGenerator<BaseHit | null> {
  const round = ROUND_BLOCKS * rowsPerBlock;
  for (let from = 0; from < rows; from += round)
    yield* await hits(
      Array.from({ length: Math.min(round, rows - from) }, (_, at) => from + at),
      read,
    );
}

async function* readRows(directory: DenseDirectory, read: ReadPieces): AsyncGenerator<Float32Array | null> {
  const { rows, rowsPerBlock, rowPieces, centroids } = directory;
  const { dimensions } = centroids;
  for (let from = 0; from < rowPieces.count; from += ROUND_BLOCKS) {
    const count = Math.min(ROUND_BLOCKS, rowPieces.count - from);
    const blocks = await read(Array.from({ length: count }, (_, at) => rowPieces.at(from + at)));
    for (let at = 0; at < count; at += 1) {
      const bytes = blocks[at] ?? null;
      const inBlock = Math.min(rowsPerBlock, rows - (from + at) * rowsPerBlock);
      if (bytes === null) {
        for (let place = 0; place < inBlock; place += 1) yield null;
        continue;
      }
      const fill = decodeRowBlock(bytes, { rows: inBlock, dimensions });
      for (let place = 0; place < inBlock; place += 1) {
        const vector = new Float32Array(dimensions);
        fill(place, vector);
        yield vector;
      }
    }
  }
}
