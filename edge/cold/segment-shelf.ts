/** The opened segments that this isolate keeps. */
import { openSegment, type ColdSegment } from "@kattegat/engine/cold/segment.ts";
import type { ManifestSegment } from "@kattegat/engine/cold/manifest.ts";
import type { Scanner } from "@kattegat/engine/vector/scan.ts";
import { unboundLimits, type Attempt, type ReadLimits } from "./bucket-attempt.ts";
import { createRangeReader, type RangeReader } from "./range-reader.ts";

/** Beside 36 MiB of opened segments of either index; the texts of some 20,000 passages. */
const BLOCK_BYTES_MAX = 16 * 1_024 * 1_024;

export interface SegmentShelf {
  /** The segment, if it is open here. */
  find(key: string): ColdSegment | null;
  /**
   * Opens a segment in one read.
   *
   * @throws {ColdFormatError} for an object that is missing, cut off, damaged, or another than the manifest names.
   */
  open(segment: ManifestSegment, limits: ReadLimits): Promise<ColdSegment>;
  /** Reads ranges of a segment's object within the limits of one search. */
  reader(key: string, limits: ReadLimits): (offset: number, length: number) => Promise<Uint8Array>;
  /** Forgets segments that no manifest names any more. */
  keepOnly(keys: ReadonlySet<string>): void;
  readonly residentBytes: number;
}

export interface SegmentShelfOptions {
  readonly bucket: R2Bucket;
  readonly scanner: Scanner;
  readonly bytesMax: number;
  /** Of the vectors in all of them. */
  readonly dimensions: number;
  readonly attempt: Attempt;
}

/** Keys are immutable, so an opened segment is never stale; the one used longest ago leaves first. */
export function createSegmentShelf(options: SegmentShelfOptions): SegmentShelf {
  const opened = new Map<string, ColdSegment>();
  const ranges = createRangeReader({ ...options, bytesMax: BLOCK_BYTES_MAX });
  const residentBytes = (): number =>
    [...opened.values()].reduce((sum, segment) => sum + segment.residentBytes, 0);
  const reader = readerOf(ranges);

  function find(key: string): ColdSegment | null {
    const known = opened.get(key);
    if (known === undefined) return null;
    opened.delete(key);
    opened.set(key, known);
    return known;
  }

  function keep(key: string, segment: ColdSegment): void {
    opened.set(key, segment);
    while (residentBytes() > options.bytesMax && opened.size > 1) {
      const oldest = opened.keys().next().value;
      if (oldest === undefined) break;
      opened.delete(oldest);
    }
  }

  return {
    get residentBytes() {
      return residentBytes();
    },
    find,
    reader,
    keepOnly(keys) {
      for (const key of opened.keys()) if (!keys.has(key)) opened.delete(key);
    },
    async open(entry, limits) {
      const { key, bytes: totalBytes, passages, checksum } = entry;
      const known = find(key);
      if (known !== null) return known;
      const read = reader(key, limits);
      // The vectors as floats come after all that is resident; what is before them is at most so long.
      const headBytes = Math.max(0, totalBytes - passages * options.dimensions * 4);
      const head = await read(0, headBytes);
      let isOpening = true;
      const segment = await openSegment(
        (offset, length) =>
          isOpening && offset + length <= head.byteLength
            ? Promise.resolve(head.slice(offset, offset + length))
            : reader(key, unboundLimits())(offset, length),
        { scanner: options.scanner, totalBytes, checksum },
      );
      isOpening = false;
      keep(key, segment);
      return segment;
    },
  };
}

function readerOf(ranges: RangeReader): SegmentShelf["reader"] {
  return (key, limits) => (offset, length) => ranges.read(key, { offset, length }, limits);
}
