import type { BaseFile, Piece } from "./piece.ts";

/** One read that brings several pieces. */
export interface MergedRead {
  readonly file: BaseFile;
  readonly volume: number;
  readonly offset: number;
  readonly length: number;
  /** Places of its pieces among those asked, by offset. */
  readonly parts: readonly number[];
}

/** A gap that takes less than a millisecond is cheaper than another read. */
const GAP_BYTES = 32_768;
/** A reader holds what it has read until all of it has come: a larger read is cut, at a piece. */
const READ_BYTES_MAX = 1_048_576;

/**
 * Merges pieces that lie near each other in a volume.
 *
 * Only where that makes more than `readsMax` reads are larger gaps bridged, the smallest first, none larger than
 * `gapBytesMax`; so there may still be more.
 */
export function mergePieces(
  pieces: readonly Piece[],
  {
    readsMax = Infinity,
    gapBytesMax = 0,
  }: { readonly readsMax?: number; readonly gapBytesMax?: number } = {},
): readonly MergedRead[] {
  let reads = mergeWithin(pieces, GAP_BYTES);
  if (reads.length <= readsMax) return reads;
  for (const gap of gapsOf(reads, gapBytesMax)) {
    reads = mergeWithin(pieces, gap);
    if (reads.length <= readsMax) break;
  }
  return reads;
}

/** Gaps that may be bridged, smallest first. */
function gapsOf(reads: readonly MergedRead[], bytesMax: number): readonly number[] {
  const gaps = new Set<number>();
  for (const [at, { file, volume, offset }] of reads.entries()) {
    const last = reads[at - 1];
    if (last?.file !== file || last.volume !== volume) continue;
    const gap = offset - last.offset - last.length;
    if (gap > 0 && gap <= bytesMax) gaps.add(gap);
  }
  return [...gaps].toSorted((a, b) => a - b);
}

function mergeWithin(pieces: readonly Piece[], gapMax: number): readonly MergedRead[] {
  const places = pieces.map((_, place) => place).toSorted((a, b) => compare(pieces[a], pieces[b]));
  const reads: { file: BaseFile; volume: number; offset: number; length: number; parts: number[] }[] = [];
  for (const place of places) {
    const piece = pieces[place];
    if (piece === undefined) continue;
    const { file, volume, offset, length } = piece;
    const last = reads.at(-1);
    const end = offset + length;
    const touches =
      last !== undefined &&
      last.file === file &&
      last.volume === volume &&
      offset <= last.offset + last.length + gapMax &&
      end - last.offset <= READ_BYTES_MAX;
    if (touches) {
      last.length = Math.max(last.length, end - last.offset);
      last.parts.push(place);
    } else reads.push({ file, volume, offset, length, parts: [place] });
  }
  return reads;
}

/** Returns the bytes of one of the read's pieces, as a view; null when the read was cut off before the piece's end. */
export function partOf(read: MergedRead, bytes: Uint8Array, piece: Piece): Uint8Array | null {
  const from = piece.offset - read.offset;
  return from >= 0 && from + piece.length <= bytes.byteLength
    ? bytes.subarray(from, from + piece.length)
    : null;
}

function compare(left: Piece | undefined, right: Piece | undefined): number {
  if (left === undefined || right === undefined) return 0;
  if (left.file !== right.file) return left.file < right.file ? -1 : 1;
  return left.volume - right.volume || left.offset - right.offset;
}
