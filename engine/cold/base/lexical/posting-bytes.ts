import { ColdFormatError } from "../../format-error.ts";

/** Bytes that are written one after another. */
export class ByteWriter {
  #bytes = new Uint8Array(1_024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** A number below 2^32, seven bits a byte, low ones first, the top bit saying that another byte follows. */
  varint(value: number): void {
    this.#reserve(5);
    let rest = value >>> 0;
    while (rest >= 128) {
      this.#bytes[this.#length] = (rest & 127) | 128;
      this.#length += 1;
      rest >>>= 7;
    }
    this.#bytes[this.#length] = rest;
    this.#length += 1;
  }

  float32(value: number): void {
    this.#reserve(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** Returns a copy of what was written, starts anew. */
  take(): Uint8Array {
    const bytes = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }
}

/** Reads varints one after another. */
export class ByteReader {
  readonly bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  /** @throws {ColdFormatError} past the end, or for a varint of more than five bytes. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.bytes[this.#at];
      if (byte === undefined) throw new ColdFormatError("expected a varint, got the end of the bytes");
      this.#at += 1;
      value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new ColdFormatError("expected a varint of five bytes at most");
  }

  /** @throws {ColdFormatError} past the end. */
  float32(): number {
    if (this.#at + 4 > this.bytes.length)
      throw new ColdFormatError("expected a float32, got the end of the bytes");
    const { buffer, byteOffset } = this.bytes;
    const value = new DataView(buffer, byteOffset + this.#at, 4).getFloat32(0, true);
    this.#at += 4;
    return value;
  }
}
