import { ColdFormatError } from "../../format-error.ts";
import { lengthFactorOf, termWeightOf } from "../../../lexical/bm25.ts";
import { ByteReader, ByteWriter } from "./posting-bytes.ts";
import { BLOCK_POSTINGS } from "./posting-decoder.ts";
import { RAW_LENGTH } from "./posting-lengths.ts";

/** A block of a frequent term as its directory knows it. */
export interface BlockEntry {
  /** The last row before the block, −1 for the first one. */
  readonly previous: number;
  readonly last: number;
  /** A row whose value no other one of the block exceeds. */
  readonly maximumRow: number;
  /** How often the term stands in that row; 0 for a raw row. */
  readonly maximumFrequency: number;
  readonly maximum: number;
  readonly bytes: number;
  readonly startsPiece: boolean;
}

/** All blocks of a term, side by side. */
export interface PostingDirectory {
  readonly blocks: number;
  /** The last row of each block. */
  readonly lasts: Uint32Array;
  readonly maximumRows: Uint32Array;
  readonly maxima: Float32Array;
  /** The piece of each block, counted from the term's first one; where the block begins in it. */
  readonly pieces: Uint16Array;
  readonly offsets: Uint32Array;
}

/**
 * Returns the directory: for each block varints of the last row less the one before, the row of the maximum less the last row
 * before less one, how often the term stands in that row (for a raw row its value as float32), then bytes·2 + (1 when the
 * block is the first of a piece).
 */
export function encodeDirectory(blocks: readonly BlockEntry[]): Uint8Array {
  const bytes = new ByteWriter();
  for (const block of blocks) {
    bytes.varint(block.last - block.previous);
    bytes.varint(block.maximumRow - block.previous - 1);
    if (block.maximumFrequency === 0) bytes.float32(block.maximum);
    else bytes.varint(block.maximumFrequency);
    bytes.varint(block.bytes * 2 + (block.startsPiece ? 1 : 0));
  }
  return bytes.take();
}

/** Reads the directory of a term with `count` postings. @throws {ColdFormatError} when it is none. */
export function decodeDirectory(
  bytes: Uint8Array,
  {
    count,
    lengths,
    pieces,
  }: { readonly count: number; readonly lengths: Uint16Array; readonly pieces: number },
): PostingDirectory {
  const blocks = Math.ceil(count / BLOCK_POSTINGS);
  const directory = {
    blocks,
    lasts: new Uint32Array(blocks),
    maximumRows: new Uint32Array(blocks),
    maxima: new Float32Array(blocks),
    pieces: new Uint16Array(blocks),
    offsets: new Uint32Array(blocks),
  };
  const reader = new ByteReader(bytes);
  let last = -1;
  let piece = -1;
  let offset = 0;
  for (let i = 0; i < blocks; i += 1) {
    const next = last + reader.varint();
    const row = last + 1 + reader.varint();
    if (next <= last || next >= lengths.length || row > next)
      throw new ColdFormatError(`expected blocks of ascending rows below ${lengths.length}`);
    const length = lengths[row] ?? 0;
    directory.maxima[i] =
      length === RAW_LENGTH ? reader.float32() : termWeightOf(reader.varint(), lengthFactorOf(length));
    const size = reader.varint();
    if (size & 1) {
      piece += 1;
      offset = 0;
    }
    directory.lasts[i] = next;
    directory.maximumRows[i] = row;
    directory.pieces[i] = piece;
    directory.offsets[i] = offset;
    offset += size >>> 1;
    last = next;
    if (piece < 0 || piece >= pieces) throw new ColdFormatError(`expected the blocks of ${pieces} pieces`);
  }
  if (reader.at !== bytes.length || piece !== pieces - 1)
    throw new ColdFormatError(`expected a directory of ${blocks} blocks in ${pieces} pieces`);
  return directory;
}
