/** The opened segments that this isolate keeps. */
import { openSegment, type ColdSegment } from "@kattegat/engine/cold/segment.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";

export interface SegmentShelf {
  /** @throws {ColdFormatError} for an object that is missing, cut off or damaged. */
  open(segment: { readonly key: string; readonly bytes: number }): Promise<ColdSegment>;
  /** Forgets segments that no manifest names any more. */
  keepOnly(keys: ReadonlySet<string>): void;
  readonly residentBytes: number;
}

/** Keys are immutable, so an opened segment is never stale; the one used longest ago leaves first. */
export function createSegmentShelf(options: {
  readonly bucket: R2Bucket;
  readonly scanner: Scanner;
  readonly bytesMax: number;
}): SegmentShelf {
  const opened = new Map<string, ColdSegment>();
  const residentBytes = (): number =>
    [...opened.values()].reduce((sum, segment) => sum + segment.residentBytes, 0);

  async function read(key: string, offset: number, length: number): Promise<Uint8Array> {
    const object = await options.bucket.get(key, { range: { offset, length } });
    return object === null ? new Uint8Array(0) : new Uint8Array(await object.arrayBuffer());
  }

  return {
    get residentBytes() {
      return residentBytes();
    },
    keepOnly(keys) {
      for (const key of opened.keys()) if (!keys.has(key)) opened.delete(key);
    },
    async open({ key, bytes }) {
      const known = opened.get(key);
      if (known !== undefined) {
        opened.delete(key);
        opened.set(key, known);
        return known;
      }
      const segment = await openSegment((offset, length) => read(key, offset, length), {
        scanner: options.scanner,
        totalBytes: bytes,
      });
      opened.set(key, segment);
      while (residentBytes() > options.bytesMax && opened.size > 1) {
        const oldest = opened.keys().next().value;
        if (oldest === undefined) break;
        opened.delete(oldest);
      }
      return segment;
    },
  };
}
