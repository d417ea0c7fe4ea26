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

/** Where each block of a run begins, and its last row. */
export interface RunBlocks {
  readonly starts: Uint32Array;
  readonly lasts: Uint32Array;
}

/** Decodes the run block by block, calling `visit` with how many postings the decoder holds; returns where the blocks are. */
export function readRun(run: PostingRun, decoder: PostingDecoder, visit: (size: number) => void): RunBlocks {
  const blocks = Math.ceil(run.count / BLOCK_POSTINGS);
  const starts = new Uint32Array(blocks);
  const lasts = new Uint32Array(blocks);
  let { at, previous } = run;
  for (let block = 0; block < blocks; block += 1) {
    const count = sizeOf(run, block);
    starts[block] = at;
    at = decoder.decode(run.bytes, at, { count, previous });
    visit(count);
    previous = decoder.rows[count - 1] ?? 0;
    lasts[block] = previous;
  }
  if (run.end !== null && at !== run.end)
    throw new ColdFormatError(`expected ${run.count} postings up to byte ${run.end}, got them up to ${at}`);
  return { starts, lasts };
}

/** Decodes one block of a run that was read before; returns how many postings the decoder holds. */
export function readBlock(
  run: PostingRun,
  decoder: PostingDecoder,
  { starts, lasts, block }: RunBlocks & { readonly block: number },
): number {
  const count = sizeOf(run, block);
  const previous = block === 0 ? run.previous : (lasts[block - 1] ?? 0);
  decoder.decode(run.bytes, starts[block] ?? 0, { count, previous });
  return count;
}

function sizeOf({ count }: PostingRun, block: number): number {
  return Math.min(BLOCK_POSTINGS, count - block * BLOCK_POSTINGS);
}
