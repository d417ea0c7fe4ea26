import { compareCodeUnits } from "../index/ranking.ts";
import { toIntegers } from "../vector/quantize.ts";
import { lengthOf } from "../vector/vector-store.ts";
import { encodeContainer } from "./container.ts";
import { crc32c } from "./crc32c.ts";
import { encodeDocuments } from "./document-table.ts";
import type { ColdPassage } from "./passage.ts";
import { encodePostings, littleEndian } from "./sparse-section.ts";
import { encodeTexts } from "./text-blocks.ts";

/**
 * Returns the passages as one immutable object, described in docs/cold-index.md.
 *
 * The passages of a document agree in everything but ordinal, vectors and text; metadata is stored once for each document.
 */
export function encodeSegment(
  passages: readonly ColdPassage[],
  { model, dimensions }: { readonly model: string; readonly dimensions: number },
): Uint8Array {
  const sorted = passages.toSorted(
    (left, right) => compareCodeUnits(left.documentId, right.documentId) || left.ordinal - right.ordinal,
  );
  const width = toIntegers(new Float32Array(dimensions)).integers.length;
  const integers = new Uint8Array(sorted.length * width);
  const scales = new Float32Array(sorted.length * 3);
  const floats = new Float32Array(sorted.length * dimensions);
  const floatChecks = new Uint32Array(sorted.length);
  sorted.forEach(({ documentId, dense }, row) => {
    if (dense.length !== dimensions) {
      throw new RangeError(`expected ${dimensions} dimensions in ${documentId}, got ${dense.length}`);
    }
    const quantized = toIntegers(dense);
    integers.set(new Uint8Array(quantized.integers.buffer), row * width);
    scales.set([quantized.scale, quantized.residual, lengthOf(dense)], row * 3);
    floats.set(dense, row * dimensions);
    floatChecks[row] = crc32c(littleEndian(floats.subarray(row * dimensions, (row + 1) * dimensions)));
  });
  const { documents, metadata, documentCount } = encodeDocuments(sorted);
  const { terms, postings } = encodePostings(sorted);
  const { texts, table } = encodeTexts(sorted);
  return encodeContainer(
    { passages: sorted.length, documents: documentCount, dimensions, model },
    {
      integers,
      scales: littleEndian(scales),
      documents,
      metadata,
      rows: littleEndian(Uint32Array.from(sorted, ({ ordinal }) => ordinal)),
      terms,
      postings,
      floatChecks: littleEndian(floatChecks),
      textBlocks: table,
      floats: littleEndian(floats),
      texts,
    },
  );
}
