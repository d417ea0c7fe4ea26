/** Ranged reads of immutable objects through a bounded memory of blocks. */

/** A read of one float vector brings its neighbours; smaller blocks cost more requests, larger ones more bytes. */
const BLOCK_BYTES = 64 * 1_024;
/** Longer reads open a segment: what they bring stays resident anyway and would only push the blocks out. */
const CACHED_READ_BYTES_MAX = 4 * BLOCK_BYTES;

export interface RangeReader {
  /** Resolves with the bytes that the object has there: fewer than asked where it ends, none where it is gone. */
  read(key: string, offset: number, length: number): Promise<Uint8Array>;
}

/** Keys are immutable, so a block is never stale; the one used longest ago leaves first. */
export function createRangeReader(options: {
  readonly bucket: R2Bucket;
  readonly bytesMax: number;
}): RangeReader {
  const blocks = new Map<string, Uint8Array>();
  let held = 0;

  async function fetched(key: string, offset: number, length: number): Promise<Uint8Array> {
    const object = await options.bucket.get(key, { range: { offset, length } });
    return object === null ? new Uint8Array(0) : new Uint8Array(await object.arrayBuffer());
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

  /** A request may not wait for another's read in workerd, so two that miss together both read. */
  async function blockOf(key: string, index: number): Promise<Uint8Array> {
    const name = `${key} ${index}`;
    const known = blocks.get(name);
    const block = known ?? (await fetched(key, index * BLOCK_BYTES, BLOCK_BYTES));
    if (block.byteLength > 0) keep(name, block);
    return block;
  }

  return {
    async read(key, offset, length) {
      if (length > CACHED_READ_BYTES_MAX) return fetched(key, offset, length);
      const first = Math.floor(offset / BLOCK_BYTES);
      const last = Math.floor((offset + Math.max(1, length) - 1) / BLOCK_BYTES);
      const parts = await Promise.all(
        Array.from({ length: last - first + 1 }, (_, at) => blockOf(key, first + at)),
      );
      const [only] = parts;
      const from = offset - first * BLOCK_BYTES;
      if (only !== undefined && parts.length === 1) return only.slice(from, from + length);
      const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
      let at = 0;
      for (const part of parts) {
        whole.set(part, at);
        at += part.byteLength;
      }
      return whole.slice(from, from + length);
    },
  };
}
