import type { RowRange } from "../parts.ts";
import type { Piece, PieceWriter } from "../piece.ts";
import type { Sections } from "../section-file.ts";
import type { Clustering } from "./cluster.ts";
import type { EncodedCodes } from "./code-encoder.ts";
import { encodeDirectory, encodeRecall } from "./dense-directory.ts";
import { encodeRowBlock, rowsPerBlockFor } from "./dense-rows.ts";
import type { GridVectors } from "./dense-vectors.ts";

/**
 * Writes the rows of a base.
 *
 * @param beside - writes what is to lie behind the block of these rows in the same file.
 */
export async function encodeRows(
  vectors: GridVectors,
  { order }: Clustering,
  { writer, beside }: { readonly writer: PieceWriter; readonly beside: (rows: RowRange) => Promise<void> },
): Promise<readonly Piece[]> {
  const rowsPerBlock = rowsPerBlockFor(vectors.dimensions);
  const pieces: Piece[] = [];
  for (let from = 0; from < order.length; from += rowsPerBlock) {
    const to = Math.min(from + rowsPerBlock, order.length);
    pieces.push(await writer.write("rows", encodeRowBlock(vectors, order.subarray(from, to))));
    await beside({ from, to });
  }
  return pieces;
}

/** Returns the resident sections of the dense half. */
export function encodeDense(
  vectors: GridVectors,
  { centroids }: Clustering,
  { codes, rows }: { readonly codes: EncodedCodes; readonly rows: readonly Piece[] },
): Sections {
  const { lists, longest, pieces, recall } = codes;
  const rowsPerBlock = rowsPerBlockFor(vectors.dimensions);
  const about = { rows: vectors.count, rowsPerBlock, longest, lists, centroids };
  return new Map([...encodeDirectory(about, { codes: pieces, rows }), ...encodeRecall(recall)]);
}
