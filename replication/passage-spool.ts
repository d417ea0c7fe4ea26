/** Passages on their way into a base: vectors in memory, the rest in a file. */
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BaseInput } from "@kattegat/engine/cold/base/build-base.ts";
import {
  createGridVectors,
  writeGridVector,
  type GridVectors,
} from "@kattegat/engine/cold/base/dense/dense-vectors.ts";
import type { BaseHit } from "@kattegat/engine/cold/base/parts.ts";
import type { ColdPassage } from "@kattegat/engine/cold/segment.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import { integerBytes } from "@kattegat/engine/vector/quantize.ts";
import { z } from "zod";

/** Some 60,000 passages of terms: growth by such pieces never copies what is there. */
const CHUNK_TERMS = 4 * 1_024 * 1_024;
/** A write for each passage would cost more than the passage. */
const BUFFER_BYTES = 4 * 1_024 * 1_024;

/** A passage without its vectors, as it stands in the file. */
const spooledSchema = z.object({
  documentId: z.string(),
  ordinal: z.int(),
  version: z.string(),
  epoch: z.int(),
  residency: z.string(),
  collection: z.string(),
  title: z.string(),
  text: z.string(),
  lang: z.string().nullable(),
  publishedAt: z.string().nullable(),
  metadata: z.record(z.string(), z.unknown()),
});

export interface PassageSpool extends BaseInput {
  /** @throws {RangeError} when there are more passages than were announced. */
  add(passage: ColdPassage): void;
  /** Closes and deletes the file. */
  remove(): void;
}

/** @param options.capacity - passages at most. */
export function createPassageSpool(options: {
  readonly folder: string;
  readonly name: string;
  readonly dimensions: number;
  readonly capacity: number;
}): PassageSpool {
  return new Spool(options);
}

class Spool implements PassageSpool {
  readonly #all: GridVectors;
  readonly #path: string;
  readonly #file: number;
  readonly #capacity: number;
  /** Where each text ends in the file. */
  readonly #ends: Float64Array;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  readonly #indices: Uint32Array[] = [];
  readonly #values: Float32Array[] = [];
  /** Chunk, start, length of each passage's terms. */
  readonly #terms: Uint32Array;
  #usedTerms = CHUNK_TERMS;
  #buffered = 0;
  #written = 0;
  #count = 0;

  constructor({
    folder,
    name,
    dimensions,
    capacity,
  }: {
    readonly folder: string;
    readonly name: string;
    readonly dimensions: number;
    readonly capacity: number;
  }) {
    this.#all = createGridVectors(capacity, dimensions);
    this.#capacity = capacity;
    this.#ends = new Float64Array(capacity);
    this.#terms = new Uint32Array(capacity * 3);
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, `${name}.spool`);
    this.#file = openSync(this.#path, "w+");
  }

  /** Views that stay valid. */
  get vectors(): GridVectors {
    const { dimensions, integers, scales } = this.#all;
    return {
      count: this.#count,
      dimensions,
      integers: integers.subarray(0, this.#count * integerBytes(dimensions)),
      scales: scales.subarray(0, this.#count),
    };
  }

  add({ dense, sparse, ...text }: ColdPassage): void {
    if (this.#count === this.#capacity)
      throw new RangeError(`expected at most ${this.#capacity} passages, one more came`);
    writeGridVector(this.#all, this.#count, dense);
    this.#addSparse(sparse);
    this.#addText(Buffer.from(JSON.stringify(text)));
    this.#count += 1;
  }

  sparse(number: number): SparseVector {
    const [chunk = 0, start = 0, length = 0] = this.#terms.subarray(number * 3, number * 3 + 3);
    return {
      indices: this.#indices[chunk]?.subarray(start, start + length) ?? new Uint32Array(0),
      values: this.#values[chunk]?.subarray(start, start + length) ?? new Float32Array(0),
    };
  }

  text(number: number): BaseHit {
    this.#flush();
    const from = number === 0 ? 0 : (this.#ends[number - 1] ?? 0);
    const bytes = Buffer.alloc((this.#ends[number] ?? from) - from);
    let read = 0;
    while (read < bytes.length) {
      const more = readSync(this.#file, bytes, read, bytes.length - read, from + read);
      if (more === 0) throw new Error(`${this.#path}: expected passage ${number} whole; the file ends`);
      read += more;
    }
    return spooledSchema.parse(JSON.parse(bytes.toString("utf8")));
  }

  remove(): void {
    closeSync(this.#file);
    unlinkSync(this.#path);
  }

  #addSparse({ indices, values }: SparseVector): void {
    if (this.#usedTerms + indices.length > CHUNK_TERMS) {
      const size = Math.max(CHUNK_TERMS, indices.length);
      this.#indices.push(new Uint32Array(size));
      this.#values.push(new Float32Array(size));
      this.#usedTerms = 0;
    }
    const chunk = this.#indices.length - 1;
    this.#indices[chunk]?.set(indices, this.#usedTerms);
    this.#values[chunk]?.set(values, this.#usedTerms);
    this.#terms.set([chunk, this.#usedTerms, indices.length], this.#count * 3);
    this.#usedTerms += indices.length;
  }

  #addText(bytes: Buffer): void {
    const before = this.#count === 0 ? 0 : (this.#ends[this.#count - 1] ?? 0);
    this.#ends[this.#count] = before + bytes.length;
    if (this.#buffered + bytes.length > BUFFER_BYTES) this.#flush();
    if (bytes.length > BUFFER_BYTES) {
      this.#write(bytes);
      return;
    }
    bytes.copy(this.#buffer, this.#buffered);
    this.#buffered += bytes.length;
  }

  #flush(): void {
    if (this.#buffered > 0) this.#write(this.#buffer.subarray(0, this.#buffered));
    this.#buffered = 0;
  }

  #write(bytes: Buffer): void {
    let done = 0;
    while (done < bytes.length)
      done += writeSync(this.#file, bytes, done, bytes.length - done, this.#written + done);
    this.#written += bytes.length;
  }
}
