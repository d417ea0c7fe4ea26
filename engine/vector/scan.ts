/**
 * The compiled kernel, ready to be given a memory of its own for each set of vectors.
 *
 * The engine reads no files. Node: `createScanner(new WebAssembly.Module(readFileSync(new URL("scan.wasm", …))))`;
 * a Worker: `import kernel from "@kattegat/engine/wasm/scan.wasm"`, then `createScanner(kernel)`.
 */
export interface Scanner {
  /** Makes an instance with its own memory, so that memory is freed together with what it holds. */
  instantiate(): Kernel;
}

/** The exports of `engine/wasm/scan.as.ts`, where each is described; a chunk is its offset into `memory`. */
export interface Kernel {
  readonly memory: WebAssembly.Memory;
  configure(dimensions: number, chunkSlots: number, hasCodes: boolean): void;
  part(number: number): number;
  begin(lowest: number, bucketsPerUnit: number, queryScale: number): void;
  beginList(offset: number, best: number, most: number, band: number): void;
  mark(): number;
  listBits(chunk: number): number;
  scoreIntegers(chunk: number): void;
  scoreListed(chunk: number, listed: number, threshold: number): number;
  collect(chunk: number, threshold: number): number;
  collectListed(chunk: number, listed: number, threshold: number): number;
  dot(): number;
}

/** Histogram cells of the kernel; `BUCKETS` in `scan.as.ts`. */
export const HISTOGRAM_BUCKETS = 4096;

/** Returns the scanner of a compiled `scan.wasm`. */
export function createScanner(module: WebAssembly.Module): Scanner {
  return {
    instantiate() {
      const exports: unknown = new WebAssembly.Instance(module, {}).exports;
      if (!isKernel(exports)) {
        throw new TypeError(
          `expected a module that exports memory and ${FUNCTIONS.join(", ")}: build engine/wasm again`,
        );
      }
      return exports;
    },
  };
}

const FUNCTIONS = [
  "configure",
  "part",
  "begin",
  "beginList",
  "mark",
  "listBits",
  "scoreIntegers",
  "scoreListed",
  "collect",
  "collectListed",
  "dot",
] as const;

function isKernel(exports: unknown): exports is Kernel {
  if (typeof exports !== "object" || exports === null || !("memory" in exports)) return false;
  const entries = new Map<string, unknown>(Object.entries(exports));
  return FUNCTIONS.every((name) => typeof entries.get(name) === "function");
}
