/** The documents that have each value of a column, as lists one after another. */
import type { Bitmap } from "../../../index/bitmap.ts";
import { ColdFormatError } from "../../format-error.ts";
import { type GrowingBytes, varintBytes } from "./column-bytes.ts";

/**
 * Adds the list of one value: the varint count × 2 + form, then for form 0 the gaps as varints (the first document, then
 * each one's distance to the one before), for form 1 a bit for each document of the base. Whichever is shorter.
 */
export function appendList(into: GrowingBytes, documents: Uint32Array, documentCount: number): void {
  let gapBytes = 0;
  let before = 0;
  for (let i = 0; i < documents.length; i += 1) {
    gapBytes += varintBytes((documents[i] ?? 0) - before);
    before = documents[i] ?? 0;
  }
  const bitBytes = Math.ceil(documentCount / 8);
  const isBits = bitBytes < gapBytes;
  into.pushVarint(documents.length * 2 + (isBits ? 1 : 0));
  if (isBits) {
    const bits = into.pushZeros(bitBytes);
    for (let i = 0; i < documents.length; i += 1) {
      const document = documents[i] ?? 0;
      bits[document >>> 3] = (bits[document >>> 3] ?? 0) | (1 << (document & 7));
    }
    return;
  }
  before = 0;
  for (let i = 0; i < documents.length; i += 1) {
    into.pushVarint((documents[i] ?? 0) - before);
    before = documents[i] ?? 0;
  }
}

/** A uint32 takes five bytes. */
const VARINT_BITS_MAX = 35;

export interface ListChoice {
  readonly lists: number;
  /** One byte for each list; null takes all. */
  readonly flags: Uint8Array | null;
  /** Lists with this flag are taken. */
  readonly flag: 0 | 1;
  /** Documents of the base. */
  readonly documents: number;
}

/** Adds the documents of the chosen lists to the set. @throws {ColdFormatError} when the lists are not whole. */
export function uniteLists(bytes: Uint8Array, choice: ListChoice, into: Bitmap): void {
  const bitBytes = Math.ceil(choice.documents / 8);
  let at = 0;
  for (let list = 0; list < choice.lists; list += 1) {
    let head = 0;
    for (let shift = 0, byte = 128; byte > 127 && shift < VARINT_BITS_MAX; shift += 7) {
      byte = bytes[at] ?? 0;
      at += 1;
      head |= (byte & 127) << shift;
    }
    const isTaken = choice.flags === null || choice.flags[list] === choice.flag;
    if (at > bytes.length || head >>> 1 > choice.documents) throw cutOff();
    if ((head & 1) === 0) {
      at = uniteGaps(bytes, { at, count: head >>> 1, documents: choice.documents, isTaken }, into);
      continue;
    }
    if (at + bitBytes > bytes.length) throw cutOff();
    if (isTaken) uniteBits(bytes.subarray(at, at + bitBytes), into.words);
    at += bitBytes;
  }
  if (at !== bytes.length) throw cutOff();
}

/** Returns where the list ends; one that is not taken is only passed over. */
function uniteGaps(
  bytes: Uint8Array,
  list: {
    readonly at: number;
    readonly count: number;
    readonly documents: number;
    readonly isTaken: boolean;
  },
  { words }: Bitmap,
): number {
  const { count, documents, isTaken } = list;
  let at = list.at;
  let document = 0;
  for (let i = 0; i < count; i += 1) {
    let gap = 0;
    for (let shift = 0, byte = 128; byte > 127 && shift < VARINT_BITS_MAX; shift += 7) {
      byte = bytes[at] ?? 0;
      at += 1;
      gap |= (byte & 127) << shift;
    }
    document += gap >>> 0;
    if (document >= documents) throw cutOff();
    if (isTaken) words[document >>> 5] = (words[document >>> 5] ?? 0) | (1 << (document & 31));
  }
  if (at > bytes.length) throw cutOff();
  return at;
}

function uniteBits(bits: Uint8Array, words: Uint32Array): void {
  for (let i = 0; i < bits.length; i += 1)
    words[i >>> 2] = (words[i >>> 2] ?? 0) | ((bits[i] ?? 0) << ((i & 3) * 8));
}

function cutOff(): ColdFormatError {
  return new ColdFormatError("expected the lists of a column whole, got other bytes");
}
