import { type ArtefactHead, rowBytes } from "./artefact.ts";
import { instantiateLearnKernel, KernelMemory } from "./learn-kernel.ts";
import type { RowAdder } from "./text-summer.ts";

/** Rows that are added before the kernel is called: more than a passage has words. */
const LISTED_ROWS_MAX = 1_024;

/** Returns an adder over all rows of an artefact, held in a memory of the kernel: SIMD makes whole corpora affordable. */
export function kernelAdder(head: ArtefactHead, rows: Uint8Array, module: WebAssembly.Module): RowAdder {
  const { dimensions } = head.about;
  const size = rowBytes(dimensions);
  const kernel = instantiateLearnKernel(module);
  const recordsBytes = head.residentRows.byteLength + rows.byteLength;
  const memory = new KernelMemory(kernel, recordsBytes + LISTED_ROWS_MAX * 8 + dimensions * 4 + 64);
  const records = memory.take(recordsBytes);
  const bytes = new Uint8Array(kernel.memory.buffer, records, recordsBytes);
  bytes.set(head.residentRows);
  bytes.set(rows, head.residentRows.byteLength);
  const list = memory.take(LISTED_ROWS_MAX * 8);
  const places = memory.numbers(list, LISTED_ROWS_MAX * 2);
  const weights = memory.floats(list, LISTED_ROWS_MAX * 2);
  const sumsAt = memory.take(dimensions * 4);
  const sums = memory.floats(sumsAt, dimensions);
  let listed = 0;
  const flush = (): void => {
    kernel.addRows(list, listed, sumsAt, dimensions);
    listed = 0;
  };
  return {
    begin: () => void sums.fill(0),
    add(rank, weight) {
      places[listed * 2] = records + rank * size;
      weights[listed * 2 + 1] = weight;
      listed += 1;
      if (listed === LISTED_ROWS_MAX) flush();
      return true;
    },
    finish() {
      flush();
      return sums;
    },
  };
}
