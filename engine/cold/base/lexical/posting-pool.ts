/** Bytes of the first slice of a term: one of three terms stands in a single passage, so it is short. */
const FIRST_SLICE_BYTES = 16;
/** Slices double up to here; what a frequent term wastes at its end is nothing beside what it has. */
const SLICE_BYTES_MAX = 4_096;
const LINK_BYTES = 4;
const CHUNK_BITS = 20;
const CHUNK_BYTES = 1 << CHUNK_BITS;

/**
 * Streams of bytes that grow side by side in one memory.
 *
 * Each is a chain of slices that double in size, the first four bytes of a slice being where the next one starts: the memory
 * is that of the compressed postings, not of 39 million objects (Büttcher, Clarke and Cormack, Information Retrieval, 2010, section 4.5).
 */
export class PostingPool {
  readonly #chunks: Uint8Array[] = [];
  #used = 0;
  #heads = new Uint32Array(1_024);
  #cursors = new Uint32Array(1_024);
  #room = new Uint16Array(1_024);
  #slices = new Uint32Array(1_024);
  #sizes = new Uint32Array(1_024);
  #streams = 0;

  /** Starts a stream, returns its number. */
  open(): number {
    const stream = this.#streams;
    this.#streams += 1;
    if (stream >= this.#heads.length) this.#grow();
    const slice = this.#allocate(FIRST_SLICE_BYTES);
    this.#heads[stream] = slice;
    this.#slices[stream] = slice;
    this.#cursors[stream] = slice + LINK_BYTES;
    this.#room[stream] = FIRST_SLICE_BYTES - LINK_BYTES;
    return stream;
  }

  /** Appends a number below 2^32, seven bits a byte, low ones first, the top bit of a byte saying that another follows. */
  writeVarint(stream: number, value: number): void {
    let rest = value >>> 0;
    while (rest >= 128) {
      this.writeByte(stream, (rest & 127) | 128);
      rest >>>= 7;
    }
    this.writeByte(stream, rest);
  }

  writeByte(stream: number, byte: number): void {
    if (this.#room[stream] === 0) this.#extend(stream);
    const cursor = this.#cursors[stream] ?? 0;
    const chunk = this.#chunks[cursor >>> CHUNK_BITS];
    if (chunk === undefined) throw new RangeError("expected a cursor inside the pool");
    chunk[cursor & (CHUNK_BYTES - 1)] = byte;
    this.#cursors[stream] = cursor + 1;
    this.#room[stream] = (this.#room[stream] ?? 0) - 1;
    this.#sizes[stream] = (this.#sizes[stream] ?? 0) + 1;
  }

  /** Returns a copy of the stream. */
  read(stream: number): Uint8Array {
    const size = this.#sizes[stream] ?? 0;
    const bytes = new Uint8Array(size);
    let slice = this.#heads[stream] ?? 0;
    let sliceBytes = FIRST_SLICE_BYTES;
    for (let at = 0; at < size;) {
      const chunk = this.#chunks[slice >>> CHUNK_BITS];
      if (chunk === undefined) throw new RangeError("expected a slice inside the pool");
      const from = slice & (CHUNK_BYTES - 1);
      const part = Math.min(size - at, sliceBytes - LINK_BYTES);
      bytes.set(chunk.subarray(from + LINK_BYTES, from + LINK_BYTES + part), at);
      at += part;
      slice = new DataView(chunk.buffer).getUint32(from, true);
      sliceBytes = Math.min(sliceBytes * 2, SLICE_BYTES_MAX);
    }
    return bytes;
  }

  #extend(stream: number): void {
    const old = this.#slices[stream] ?? 0;
    const oldBytes = (this.#cursors[stream] ?? 0) - old;
    const bytes = Math.min(oldBytes * 2, SLICE_BYTES_MAX);
    const slice = this.#allocate(bytes);
    const chunk = this.#chunks[old >>> CHUNK_BITS];
    if (chunk === undefined) throw new RangeError("expected a slice inside the pool");
    new DataView(chunk.buffer).setUint32(old & (CHUNK_BYTES - 1), slice, true);
    this.#slices[stream] = slice;
    this.#cursors[stream] = slice + LINK_BYTES;
    this.#room[stream] = bytes - LINK_BYTES;
  }

  #allocate(bytes: number): number {
    const left = CHUNK_BYTES - (this.#used & (CHUNK_BYTES - 1));
    if (left < bytes) this.#used += left;
    const at = this.#used;
    if (at + bytes > 0xffff_ffff) throw new RangeError("expected postings of at most 4 GiB");
    if (this.#chunks.length <= at >>> CHUNK_BITS) this.#chunks.push(new Uint8Array(CHUNK_BYTES));
    this.#used += bytes;
    return at;
  }

  #grow(): void {
    const room = this.#heads.length * 2;
    this.#heads = resized(this.#heads, new Uint32Array(room));
    this.#cursors = resized(this.#cursors, new Uint32Array(room));
    this.#room = resized(this.#room, new Uint16Array(room));
    this.#slices = resized(this.#slices, new Uint32Array(room));
    this.#sizes = resized(this.#sizes, new Uint32Array(room));
  }
}

function resized<T extends Uint32Array | Uint16Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
