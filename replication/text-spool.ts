/** A file in which passages on their way into a base wait without their vectors. */
import { closeSync, mkdirSync, openSync, readSync, unlinkSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { BaseHit } from "@kattegat/engine/cold/base/parts.ts";
import type { TextSpool } from "@kattegat/engine/cold/base/passage-spool.ts";
import { z } from "zod";

/** A write for each passage would cost more than the passage. */
const BUFFER_BYTES = 4 * 1_024 * 1_024;

const hitSchema = z.object({
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

export interface TextFile extends TextSpool {
  /** Closes and deletes the file. */
  remove(): void;
}

/** @param options.capacity - passages at most. */
export function createTextFile(options: {
  readonly folder: string;
  readonly name: string;
  readonly capacity: number;
}): TextFile {
  return new File(options);
}

class File implements TextFile {
  readonly #path: string;
  readonly #file: number;
  /** Where each text ends in the file. */
  readonly #ends: Float64Array;
  readonly #buffer = Buffer.alloc(BUFFER_BYTES);
  #buffered = 0;
  #written = 0;
  #count = 0;

  constructor({
    folder,
    name,
    capacity,
  }: {
    readonly folder: string;
    readonly name: string;
    readonly capacity: number;
  }) {
    this.#ends = new Float64Array(capacity);
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, `${name}.spool`);
    this.#file = openSync(this.#path, "w+");
    // Without a name its bytes leave the disk with this process, however it ends.
    unlinkSync(this.#path);
  }

  add(hit: BaseHit): void {
    const bytes = Buffer.from(JSON.stringify(hit));
    this.#ends[this.#count] = this.#endOf(this.#count - 1) + bytes.length;
    this.#count += 1;
    if (this.#buffered + bytes.length > BUFFER_BYTES) this.#flush();
    if (bytes.length > BUFFER_BYTES) {
      this.#write(bytes);
      return;
    }
    bytes.copy(this.#buffer, this.#buffered);
    this.#buffered += bytes.length;
  }

  text(number: number): BaseHit {
    this.#flush();
    const from = this.#endOf(number - 1);
    const bytes = Buffer.alloc(this.#endOf(number) - from);
    let read = 0;
    while (read < bytes.length) {
      const more = readSync(this.#file, bytes, read, bytes.length - read, from + read);
      if (more === 0) throw new Error(`${this.#path}: expected passage ${number} whole; the file ends`);
      read += more;
    }
    return hitSchema.parse(JSON.parse(bytes.toString("utf8")));
  }

  remove(): void {
    closeSync(this.#file);
  }

  #endOf(number: number): number {
    return number < 0 ? 0 : (this.#ends[number] ?? 0);
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
