/** Ranged reads of immutable objects through a bounded memory of blocks. */
import type { Attempt, ReadLimits } from "./bucket-attempt.ts";
import { readRange } from "./object-range.ts";

/** A read of one float vector brings its neighbours; smaller blocks cost more requests, larger ones more bytes. */
const BLOCK_BYTES = 64 * 1_024;
/** Longer reads open a segment: what they bring stays resident anyway and would only push the blocks out. */
const CACHED_READ_BYTES_MAX = 4 * BLOCK_BYTES;

export interface RangeReader {
  /** Resolves with the bytes that the object has there: fewer than asked where it ends, none where it is gone. */
  read(
    key: string,
    range: { readonly offset: number; readonly length: number },
    limits: ReadLimits,
  ): Promise<Uint8Array>;
}

/** Keys are immutable, so a block is never stale; the one used longest ago leaves first. */
export function createRangeReader(options: {
  readonly bucket: R2Bucket;
  readonly attempt: Attempt;
  readonly bytesMax: number;
}): RangeReader {
  const blocks = new Map<string, Uint8Array>();
  let held = 0;

  function fetched(
    key: string,
    { offset, length }: { readonly offset: number; readonly length: number },
    limits: ReadLimits,
  ): Promise<Uint8Array> {
    return options.attempt(
      async () => (await readRange(options.bucket, { key, offset, length })) ?? new Uint8Array(0),
      { ...limits, bytes: length },
    );
  }

  function keep(name: string, block: Uint8Array): void {
    held += block.byteLength - (blocks.get(name)?.byteLength ?? 0);
    blocks.delete(name);
    blocks.set(name, block);
    for (const [oldest, { byteLength }] of blocks) {
      if (held <= options.bytesMax) break;
      blocks.delete(oldest);
      held -= byteLength;
    }
  }

  /** The blocks asked for; those that are not here come in one read. A request may not wait for another's in workerd. */
  async function blocksOf(
    key: string,
    { first, last }: { readonly first: number; readonly last: number },
    limits: ReadLimits,
  ): Promise<readonly Uint8Array[]> {
    const names = Array.from({ length: last - first + 1 }, (_, at) => `${key} ${first + at}`);
    const found = names.map((name) => blocks.get(name));
    const from = found.indexOf(undefined);
    if (from !== -1) {
      const to = found.lastIndexOf(undefined) + 1;
      const range = { offset: (first + from) * BLOCK_BYTES, length: (to - from) * BLOCK_BYTES };
      const bytes = await fetched(key, range, limits);
      for (let at = from; at < to; at += 1)
        found[at] = bytes.slice((at - from) * BLOCK_BYTES, (at - from + 1) * BLOCK_BYTES);
    }
    return found.map((block, at) => {
      const bytes = block ?? new Uint8Array(0);
      if (bytes.byteLength > 0) keep(names[at] ?? "", bytes);
      return bytes;
    });
  }

  return {
    async read(key, { offset, length }, limits) {
      if (length > CACHED_READ_BYTES_MAX) return fetched(key, { offset, length }, limits);
      const first = Math.floor(offset / BLOCK_BYTES);
      const last = Math.floor((offset + Math.max(1, length) - 1) / BLOCK_BYTES);
      const parts = await blocksOf(key, { first, last }, limits);
      const from = offset - first * BLOCK_BYTES;
      return joined(parts).slice(from, from + length);
    },
  };
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
