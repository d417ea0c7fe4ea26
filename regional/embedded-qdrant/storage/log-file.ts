/** The append-only file that operations are safe in. */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { encodeFrame } from "./frame.ts";

interface Waiting {
  readonly buffers: readonly Buffer[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Appends in the order of calls; one `fdatasync` serves every append that came while the last one ran. */
export class LogFile {
  readonly #handle: FileHandle;
  #waiting: Waiting[] = [];
  #running: Promise<void> | null = null;
  #bytes: number;

  private constructor(handle: FileHandle, bytes: number) {
    this.#handle = handle;
    this.#bytes = bytes;
  }

  static async open(path: string): Promise<LogFile> {
    const handle = await open(path, "a");
    return new LogFile(handle, (await handle.stat()).size);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Resolves when the record would survive the death of the machine. */
  append(version: number, body: Buffer): Promise<void> {
    const buffers = encodeFrame(version, body);
    this.#bytes += buffers[0].length + body.length;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ buffers, resolve, reject });
      this.#running ??= this.#flush();
    });
  }

  async close(): Promise<void> {
    await this.#running;
    await this.#handle.close();
  }

  async #flush(): Promise<void> {
    // Lets the requests of one turn of the event loop share the first write.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await writeAll(
          this.#handle,
          batch.flatMap(({ buffers }) => buffers),
        );
        await this.#handle.datasync();
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = null;
  }
}

/** IOV_MAX of Linux: more buffers in one call are refused. */
const BUFFERS_MAX = 1_024;

export async function writeAll(handle: FileHandle, buffers: readonly Buffer[]): Promise<void> {
  for (let at = 0; at < buffers.length; at += BUFFERS_MAX) {
    const part = buffers.slice(at, at + BUFFERS_MAX);
    const expected = part.reduce((sum, buffer) => sum + buffer.length, 0);
    const { bytesWritten } = await handle.writev(part);
    if (bytesWritten === expected) continue;
    // A short write happens on a full disk; the rest is tried once, so that the error says why.
    const rest = Buffer.concat(part).subarray(bytesWritten);
    await handle.writeFile(rest);
  }
}
