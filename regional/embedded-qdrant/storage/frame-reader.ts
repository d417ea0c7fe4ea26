/** Reads the records of a file in order. */
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { frameAt, hasFrameAfter } from "./frame.ts";
import type { Frame } from "./frame.ts";

/** Read at a time; a record is at most one request's body, which is smaller. */
const WINDOW_BYTES = 64 * 1_024 * 1_024;

/** A file whose middle is not what was written; nothing after it can be trusted. */
export class DamagedFileError extends Error {
  override readonly name = "DamagedFileError";

  constructor(path: string, offset: number, why: string) {
    super(
      `${path} is damaged at byte ${offset}: ${why}. ` +
        "Nothing was changed. Restore the file from a copy, or move the folder away: the site is then filled again from the change log.",
    );
  }
}

export interface ReadEnd {
  /** Where the last unharmed record ends. */
  readonly end: number;
  /** Bytes after it, which a write left that never finished. */
  readonly tornBytes: number;
}

/**
 * Calls `visit` with each record.
 *
 * @throws {DamagedFileError} when a record is harmed and an unharmed one comes after it, so that it is no torn end.
 */
export async function readFrames(path: string, visit: (frame: Frame) => void): Promise<ReadEnd> {
  const handle = await open(path, "r");
  try {
    const { size } = await handle.stat();
    let offset = 0;
    while (offset < size) {
      const window = await readAt(handle, offset, Math.min(WINDOW_BYTES, size - offset));
      let at = 0;
      for (let frame = frameAt(window, at); frame !== null; frame = frameAt(window, at)) {
        visit(frame);
        at = frame.end;
      }
      if (at === 0) {
        if (hasFrameAfter(window, 0))
          throw new DamagedFileError(path, offset, "the checksum of a record does not fit its bytes");
        return { end: offset, tornBytes: size - offset };
      }
      offset += at;
    }
    return { end: offset, tornBytes: 0 };
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const window = Buffer.allocUnsafe(length);
  const { bytesRead } = await handle.read(window, 0, length, offset);
  return window.subarray(0, bytesRead);
}
