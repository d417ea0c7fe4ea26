import { writeBitCode } from "../../../vector/quantize.ts";
import { createRotation } from "../../../vector/rotate.ts";
import type { Scanner } from "../../../vector/scan.ts";
import type { Piece, PieceWriter } from "../piece.ts";
import type { Clustering } from "./cluster.ts";
import { encodeDirectory, type DenseLists } from "./dense-directory.ts";
import { openDense } from "./dense-index.ts";
import { encodeRowBlock, rowsPerBlockFor } from "./dense-rows.ts";
import { readGridVector, type GridVectors } from "./dense-vectors.ts";
import { measureRecall, type ExpectedRecall } from "./expected-recall.ts";
import { codeBytes, encodeListCodes, type RowCodes } from "./list-codes.ts";

/** Rounding of sums in float32 must not make a bound too tight. */
const BOUND_SLACK = 1e-6;

/** What a base knows of its lists. */
export interface EncodedCodes {
  readonly lists: DenseLists;
  readonly longest: number;
  readonly pieces: readonly Piece[];
  readonly recall: readonly ExpectedRecall[];
}

/** Writes the codes of the lists, then measures what searches of them find. */
export async function encodeCodes(
  vectors: GridVectors,
  clustering: Clustering,
  { writer, scanner }: { readonly writer: PieceWriter; readonly scanner: Scanner },
): Promise<EncodedCodes> {
  const { lists, longest } = describeLists(vectors, clustering);
  const rowCodes = codesOf(vectors, clustering, lists);
  const codesOfList = (list: number): Uint8Array => {
    const { starts, rows } = clustering.copies;
    return encodeListCodes(rowCodes, {
      start: lists.starts[list] ?? 0,
      end: lists.starts[list + 1] ?? 0,
      copies: rows.subarray(starts[list], starts[list + 1]),
    });
  };
  const pieces: Piece[] = [];
  // One after another: near lists must lie next to each other.
  for (let list = 0; list < lists.count; list += 1)
    pieces.push(await writer.write("codes", codesOfList(list)));
  const recall = await measure({ vectors, clustering, scanner }, { lists, longest, codesOfList });
  return { lists, longest, pieces, recall };
}

/** Reads by making the bytes again: what has been written may be far away by now, the rows may be written elsewhere. */
async function measure(
  {
    vectors,
    clustering,
    scanner,
  }: { readonly vectors: GridVectors; readonly clustering: Clustering; readonly scanner: Scanner },
  {
    lists,
    longest,
    codesOfList,
  }: Pick<EncodedCodes, "lists" | "longest"> & { readonly codesOfList: (list: number) => Uint8Array },
): Promise<readonly ExpectedRecall[]> {
  const { centroids, order } = clustering;
  const rowsPerBlock = rowsPerBlockFor(vectors.dimensions);
  const blocks = Math.ceil(order.length / rowsPerBlock);
  // A piece is told by its number alone.
  const numbered = (file: "codes" | "rows", count: number): Piece[] =>
    Array.from({ length: count }, (_, volume) => ({ file, volume, offset: 0, length: 0, checksum: 0 }));
  const sections = encodeDirectory(
    { rows: vectors.count, rowsPerBlock, longest, lists, centroids },
    { codes: numbered("codes", lists.count), rows: numbered("rows", blocks) },
  );
  const rowsOfBlock = (block: number): Uint8Array =>
    encodeRowBlock(vectors, order.subarray(block * rowsPerBlock, (block + 1) * rowsPerBlock));
  return await measureRecall(openDense(sections), {
    vectors,
    order,
    scanner,
    read: (pieces) =>
      Promise.resolve(
        pieces.map(({ file, volume }) => (file === "codes" ? codesOfList(volume) : rowsOfBlock(volume))),
      ),
  });
}

function describeLists(
  vectors: GridVectors,
  clustering: Clustering,
): { readonly lists: DenseLists; readonly longest: number } {
  const { centroids, listStarts, copies, order } = clustering;
  const lists = {
    count: centroids.count,
    starts: listStarts,
    entries: new Uint32Array(centroids.count),
    means: new Float32Array(centroids.count),
    lowest: new Float32Array(centroids.count).fill(1),
  };
  const row = new Float32Array(vectors.dimensions);
  const centroid = new Float32Array(vectors.dimensions);
  let longest = 0;
  for (let list = 0; list < lists.count; list += 1) {
    const [start, end] = [listStarts[list] ?? 0, listStarts[list + 1] ?? 0];
    lists.entries[list] = end - start + (copies.starts[list + 1] ?? 0) - (copies.starts[list] ?? 0);
    readGridVector(centroids, list, centroid);
    const centroidLength = Math.sqrt(dotOf(centroid, centroid));
    let total = 0;
    let lowest = 1;
    for (let at = start; at < end; at += 1) {
      readGridVector(vectors, order[at] ?? 0, row);
      const dot = dotOf(row, centroid);
      const length = Math.sqrt(dotOf(row, row));
      longest = Math.max(longest, length);
      total += dot;
      // A zero vector has no direction: nothing can be said about where it is not.
      const cosine = length > 0 && centroidLength > 0 ? dot / (length * centroidLength) : -1;
      lowest = Math.min(lowest, cosine);
    }
    lists.means[list] = end > start ? total / (end - start) : 0;
    lists.lowest[list] = lowest - BOUND_SLACK;
  }
  return { lists, longest: longest + BOUND_SLACK };
}

/**
 * Codes what is left of each row when its home centroid, shortened to the rows' mean dot product, is taken away.
 *
 * RaBitQ (Gao and Long, SIGMOD 2024, section 3): signs of the rotated rest r, factor |r|² / Σ|rᵢ|, so that factor · ⟨signs, q⟩
 * estimates ⟨r, q⟩ without bias; the shorter the rest, the smaller the error.
 */
function codesOf(vectors: GridVectors, { centroids, order }: Clustering, lists: DenseLists): RowCodes {
  const { dimensions } = vectors;
  const rotate = createRotation(dimensions);
  const width = codeBytes(dimensions);
  const bits = new Uint8Array(vectors.count * width);
  const factors = new Float32Array(vectors.count);
  const row = new Float32Array(dimensions);
  const centroid = new Float32Array(dimensions);
  for (let list = 0; list < lists.count; list += 1) {
    readGridVector(centroids, list, centroid);
    const mean = lists.means[list] ?? 0;
    for (let at = lists.starts[list] ?? 0; at < (lists.starts[list + 1] ?? 0); at += 1) {
      readGridVector(vectors, order[at] ?? 0, row);
      for (let i = 0; i < dimensions; i += 1) row[i] = (row[i] ?? 0) - mean * (centroid[i] ?? 0);
      factors[at] = writeBitCode(rotate(row), bits, at * width);
    }
  }
  return { dimensions, bits, factors };
}

function dotOf(left: Float32Array, right: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < left.length; i += 1) sum += (left[i] ?? 0) * (right[i] ?? 0);
  return sum;
}
