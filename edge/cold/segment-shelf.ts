/** The opened segments that this isolate keeps. */
import { openSegment, type ColdSegment } from "@kattegat/engine/cold/segment.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { createRangeReader } from "./range-reader.ts";

/** Beside 36 MiB of opened segments of either index; the vectors of some 10,000 passages. */
const BLOCK_BYTES_MAX = 16 * 1_024 * 1_024;

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
  const ranges = createRangeReader({ bucket: options.bucket, bytesMax: BLOCK_BYTES_MAX });
  const residentBytes = (): number =>
    [...opened.values()].reduce((sum, segment) => sum + segment.residentBytes, 0);

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
      const segment = await openSegment((offset, length) => ranges.read(key, offset, length), {
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
