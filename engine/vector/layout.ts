import { bitBytes } from "./quantize.ts";
import { HISTOGRAM_BUCKETS, type Kernel } from "./scan.ts";

/** Where the kernel keeps its parts, in the order of `part` in `scan.as.ts`; from `codes` on within a chunk. */
const PARTS = {
  queryFloats: 0,
  rowFloats: 1,
  queryIntegers: 2,
  queryTable: 3,
  histogram: 4,
  chunks: 5,
  codes: 6,
  integers: 7,
  factors: 8,
  scales: 9,
  admitted: 10,
  scores: 11,
  list: 12,
  chunkBytes: 13,
} as const;

/** Typed views of a kernel's memory, made again whenever it grows. */
export interface Layout {
  readonly queryFloats: Float32Array;
  readonly rowFloats: Float32Array;
  readonly queryIntegers: Int16Array;
  /** Entries of each nibble of a code, 16 by 16. */
  readonly queryTable: Uint8Array;
  readonly histogram: Uint32Array;
  readonly chunks: readonly Chunk[];
}

export interface Chunk {
  /** Offset into kernel memory. */
  readonly at: number;
  readonly firstSlot: number;
  /** By blocks of 32 slots, in which the same byte of each slot lies in a row. */
  readonly codes: Uint8Array;
  readonly integers: Int8Array;
  readonly factors: Float32Array;
  readonly scales: Float32Array;
  readonly admitted: Uint32Array;
  readonly scores: Float32Array;
  readonly list: Uint32Array;
}

/** What the layout of a store is made from. */
export interface LayoutOptions {
  readonly kernel: Kernel;
  readonly dimensions: number;
  readonly chunkSlots: number;
  readonly hasCodes: boolean;
}

const PAGE_BYTES = 65_536;

/** Returns views for `slots` slots; grows the memory, so views made earlier are dead. */
export function createLayout(
  { kernel, dimensions, chunkSlots, hasCodes }: LayoutOptions,
  slots: number,
): Layout {
  kernel.configure(dimensions, chunkSlots, hasCodes);
  const at = (name: keyof typeof PARTS) => kernel.part(PARTS[name]);
  const chunkCount = Math.ceil(slots / chunkSlots);
  const bytes = at("chunks") + chunkCount * at("chunkBytes");
  const missing = bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / PAGE_BYTES));
  const buffer = kernel.memory.buffer;
  const width = (at("rowFloats") - at("queryFloats")) / 4;
  const codeBytes = hasCodes ? bitBytes(dimensions) : 0;
  const chunks = Array.from({ length: chunkCount }, (_, index) => {
    const start = at("chunks") + index * at("chunkBytes");
    return {
      at: start,
      firstSlot: index * chunkSlots,
      codes: new Uint8Array(buffer, start + at("codes"), chunkSlots * codeBytes),
      integers: new Int8Array(buffer, start + at("integers"), chunkSlots * width),
      factors: new Float32Array(buffer, start + at("factors"), hasCodes ? chunkSlots : 0),
      scales: new Float32Array(buffer, start + at("scales"), chunkSlots),
      admitted: new Uint32Array(buffer, start + at("admitted"), chunkSlots / 32),
      scores: new Float32Array(buffer, start + at("scores"), chunkSlots),
      list: new Uint32Array(buffer, start + at("list"), chunkSlots),
    };
  });
  return {
    queryFloats: new Float32Array(buffer, at("queryFloats"), width),
    rowFloats: new Float32Array(buffer, at("rowFloats"), width),
    queryIntegers: new Int16Array(buffer, at("queryIntegers"), width),
    queryTable: new Uint8Array(buffer, at("queryTable"), codeBytes * 32),
    histogram: new Uint32Array(buffer, at("histogram"), HISTOGRAM_BUCKETS),
    chunks,
  };
}
