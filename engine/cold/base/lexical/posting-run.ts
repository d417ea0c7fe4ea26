import { ColdFormatError } from "../../format-error.ts";
import { BLOCK_POSTINGS, type PostingDecoder } from "./posting-decoder.ts";

/** Postings of one term that lie together in bytes that were read. */
export interface PostingRun {
  readonly bytes: Uint8Array;
  readonly at: number;
  /** Where they end; null when more follows and the end is not known. */
  readonly end: number | null;
  readonly count: number;
  /** The last row before them; −1 for none. */
  readonly previous: number;
}

/** Decodes the run block by block, calling `visit` with how many postings the decoder holds; returns the number of blocks. */
export function readRun(run: PostingRun, decoder: PostingDecoder, visit: (size: number) => void): number {
  let { at, previous } = run;
  let blocks = 0;
  for (let left = run.count; left > 0;) {
    const size = Math.min(BLOCK_POSTINGS, left);
    at = decoder.decode(run.bytes, at, { count: size, previous });
    visit(size);
    previous = decoder.rows[size - 1] ?? 0;
    left -= size;
    blocks += 1;
  }
  if (run.end !== null && at !== run.end)
    throw new ColdFormatError(`expected ${run.count} postings up to byte ${run.end}, got them up to ${at}`);
  return blocks;
}
