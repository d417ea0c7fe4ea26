import { type Header, readExactly, type ReadRange } from "./container.ts";
import { crc32c } from "./crc32c.ts";
import { ColdFormatError } from "./format-error.ts";
import { fromIntegers } from "../vector/canonical.ts";
import { float32sOf, littleEndian } from "./sparse-section.ts";

/** A browser of object storage is slow by the request: beyond this many, nearby rows are read together. */
const READS_MAX = 64;
/** What one search may read to save requests; a Worker has 128 MB for everything. */
const BYTES_MAX = 8 * 1024 * 1024;
/** Rows that may lie unread between two wanted ones, from few to many. */
const GAPS = [4, 16, 64, 256] as const;

interface Range {
  readonly first: number;
  readonly last: number;
}

/**
 * Returns the vectors of rows, each checked.
 *
 * A canonical vector is its integers, so nothing need be read for it; others are read by ranges.
 */
export async function floatsOf(options: {
  readonly read: ReadRange;
  readonly header: Header;
  readonly checks: Uint32Array;
  readonly rows: readonly number[];
  readonly integersAt: (row: number) => Int8Array;
}): Promise<ReadonlyMap<number, Float32Array>> {
  const { checks, integersAt } = options;
  const vectors = new Map<number, Float32Array>();
  const others: number[] = [];
  for (const row of options.rows) {
    const vector = fromIntegers(integersAt(row));
    if (crc32c(littleEndian(vector)) === checks[row]) vectors.set(row, vector);
    else others.push(row);
  }
  if (others.length === 0) return vectors;
  return new Map([...vectors, ...(await readFloats({ ...options, rows: others }))]);
}

/** Reads the float vectors of rows, by ranges, each row checked. */
export async function readFloats(options: {
  readonly read: ReadRange;
  readonly header: Header;
  readonly checks: Uint32Array;
  readonly rows: readonly number[];
}): Promise<ReadonlyMap<number, Float32Array>> {
  const { read, header, checks, rows } = options;
  const rowBytes = header.dimensions * 4;
  const sorted = Uint32Array.from(rows).sort();
  const ranges = planReads(sorted, rowBytes);
  const pieces = await Promise.all(
    ranges.map(({ first, last }) =>
      readExactly(read, header.sections.floats.offset + first * rowBytes, (last - first + 1) * rowBytes),
    ),
  );
  const vectors = new Map<number, Float32Array>();
  let piece = 0;
  for (const row of sorted) {
    while (row > (ranges[piece]?.last ?? Infinity)) piece += 1;
    const start = (row - (ranges[piece]?.first ?? 0)) * rowBytes;
    const bytes = (pieces[piece] ?? new Uint8Array()).subarray(start, start + rowBytes);
    if (crc32c(bytes) !== checks[row])
      throw new ColdFormatError(`expected vector ${row} intact, got another checksum`);
    vectors.set(row, float32sOf(bytes));
  }
  return vectors;
}

/** Returns the fewest reads that stay within the bytes. */
function planReads(sorted: Uint32Array, rowBytes: number): readonly Range[] {
  let plan = rangesWithin(sorted, GAPS[0]);
  for (const gap of GAPS) {
    const wider = rangesWithin(sorted, gap);
    const bytes = wider.reduce((sum, { first, last }) => sum + (last - first + 1) * rowBytes, 0);
    if (bytes > BYTES_MAX) break;
    plan = wider;
    if (plan.length <= READS_MAX) break;
  }
  return plan;
}

function rangesWithin(sorted: Uint32Array, gap: number): readonly Range[] {
  const ranges: { first: number; last: number }[] = [];
  for (const row of sorted) {
    const range = ranges.at(-1);
    if (range !== undefined && row - range.last <= gap) range.last = row;
    else ranges.push({ first: row, last: row });
  }
  return ranges;
}
