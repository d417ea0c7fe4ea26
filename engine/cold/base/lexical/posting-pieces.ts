/** The postings of a frequent term, cut into pieces of whole blocks. */
import { ByteReader, ByteWriter } from "./posting-bytes.ts";
import { BLOCK_POSTINGS, type PostingDecoder } from "./posting-decoder.ts";
import type { BlockEntry } from "./posting-directory.ts";

/**
 * What one read of a few blocks gets at least.
 *
 * A choice, not tuned: some thirty blocks, so that a search for a few of them reads a few kilobytes.
 */
export const POSTING_PIECE_BYTES = 8_192;

/**
 * Returns the pieces with an entry for each block.
 *
 * A piece is a varint of how many postings it has, then these; the first one of a piece counts its row from −1, so that each
 * piece is read without the ones before.
 */
export function cutPostings(
  postings: Uint8Array,
  { count, decoder }: { readonly count: number; readonly decoder: PostingDecoder },
): { readonly pieces: readonly Uint8Array[]; readonly blocks: readonly BlockEntry[] } {
  const pieces: Uint8Array[] = [];
  const blocks: BlockEntry[] = [];
  const body = new ByteWriter();
  const head = new ByteWriter();
  let inPiece = 0;
  let previous = -1;
  let at = 0;
  const close = (): void => {
    head.varint(inPiece);
    head.append(body.take());
    pieces.push(head.take());
    inPiece = 0;
  };
  for (let done = 0; done < count;) {
    const size = Math.min(BLOCK_POSTINGS, count - done);
    const end = decoder.decode(postings, at, { count: size, previous });
    const from = body.length;
    const reader = new ByteReader(postings, at);
    const step = reader.varint();
    body.varint(inPiece === 0 ? (decoder.rows[0] ?? 0) * 2 + (step & 1) : step);
    body.append(postings.subarray(reader.at, end));
    const best = placeOfMaximum(decoder.values, size);
    blocks.push({
      previous,
      last: decoder.rows[size - 1] ?? 0,
      maximumRow: decoder.rows[best] ?? 0,
      maximumFrequency: decoder.frequencies[best] ?? 0,
      maximum: decoder.values[best] ?? 0,
      bytes: body.length - from,
      startsPiece: inPiece === 0,
    });
    previous = decoder.rows[size - 1] ?? 0;
    inPiece += size;
    done += size;
    at = end;
    if (body.length >= POSTING_PIECE_BYTES || done === count) close();
  }
  return { pieces, blocks };
}

function placeOfMaximum(values: Float32Array, count: number): number {
  let best = 0;
  for (let i = 1; i < count; i += 1) if ((values[i] ?? 0) > (values[best] ?? 0)) best = i;
  return best;
}
