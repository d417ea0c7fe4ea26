/** Which passages of a segment are not as they were written. */
import { ColdFormatError } from "./format-error.ts";

export async function damagedRows(
  rows: readonly number[],
  {
    blockOf,
    readBlock,
    readFloats,
  }: {
    /** The block of a row's text. */
    readonly blockOf: (row: number) => number;
    readonly readBlock: (block: number) => Promise<unknown>;
    readonly readFloats: (rows: readonly number[]) => Promise<unknown>;
  },
): Promise<ReadonlySet<number>> {
  const damaged = new Set<number>();
  for (const [block, its] of Map.groupBy(rows, blockOf))
    if (await isDamaged(readBlock(block))) for (const row of its) damaged.add(row);
  if (await isDamaged(readFloats(rows)))
    for (const row of rows) if (await isDamaged(readFloats([row]))) damaged.add(row);
  return damaged;
}

async function isDamaged(reading: Promise<unknown>): Promise<boolean> {
  try {
    await reading;
    return false;
  } catch (error) {
    if (error instanceof ColdFormatError) return true;
    throw error;
  }
}
