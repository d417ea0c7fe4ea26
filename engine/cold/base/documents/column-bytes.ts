/** Bytes that grow while a piece is put together. */
export interface GrowingBytes {
  readonly length: number;
  pushVarint(number: number): void;
  /** Adds so many bytes of 0, for the caller to fill at once. */
  pushZeros(count: number): Uint8Array;
  /** Returns a copy of all bytes, then starts anew. */
  take(): Uint8Array;
}

/** Returns an empty one. */
export function createGrowingBytes(): GrowingBytes {
  let bytes = new Uint8Array(65_536);
  let used = 0;
  const reserve = (more: number) => {
    if (used + more <= bytes.length) return;
    const next = new Uint8Array(Math.max(used + more, bytes.length * 2));
    next.set(bytes.subarray(0, used));
    bytes = next;
  };
  return {
    get length() {
      return used;
    },
    pushVarint(number) {
      reserve(5);
      let rest = number;
      for (; rest > 127; rest >>>= 7) {
        bytes[used] = (rest & 127) | 128;
        used += 1;
      }
      bytes[used] = rest;
      used += 1;
    },
    pushZeros(count) {
      reserve(count);
      used += count;
      return bytes.subarray(used - count, used).fill(0);
    },
    take() {
      const taken = bytes.slice(0, used);
      used = 0;
      return taken;
    },
  };
}

/** Returns how many bytes the number takes as a varint. */
export function varintBytes(number: number): number {
  return number === 0 ? 1 : Math.ceil((32 - Math.clz32(number)) / 7);
}
