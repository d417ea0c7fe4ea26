/** The exports of `engine/wasm/learn.as.ts`, where each is described; places are bytes from the start of `memory`. */
export interface LearnKernel {
  readonly memory: WebAssembly.Memory;
  base(): number;
  addProduct(
    starts: number,
    columns: number,
    weights: number,
    from: number,
    to: number,
    q: number,
    z: number,
    scratch: number,
    stride: number,
  ): void;
  gram(left: number, right: number, rows: number, stride: number, out: number): void;
  multiply(
    matrix: number,
    rows: number,
    stride: number,
    factor: number,
    triangular: boolean,
    scratch: number,
  ): void;
  addRows(list: number, count: number, sums: number, dimensions: number): void;
}

const WASM_PAGE_BYTES = 65_536;

/** Returns an instance of a compiled `learn.wasm` with a memory of its own. */
export function instantiateLearnKernel(module: WebAssembly.Module): LearnKernel {
  const exports: unknown = new WebAssembly.Instance(module, {}).exports;
  if (!isLearnKernel(exports))
    throw new TypeError(
      "expected a module that exports memory and the kernel of learned embeddings: build engine/wasm again",
    );
  return exports;
}

/** Hands out memory of a kernel, growing it once. */
export class KernelMemory {
  readonly #kernel: LearnKernel;
  #next: number;

  constructor(kernel: LearnKernel, bytesMax: number) {
    this.#kernel = kernel;
    this.#next = kernel.base();
    const missing = this.#next + bytesMax - kernel.memory.buffer.byteLength;
    if (missing > 0) kernel.memory.grow(Math.ceil(missing / WASM_PAGE_BYTES));
  }

  /** Returns the place of so many bytes, at a multiple of sixteen. */
  take(bytes: number): number {
    const place = this.#next;
    this.#next = Math.ceil((place + bytes) / 16) * 16;
    return place;
  }

  floats(place: number, count: number): Float32Array {
    return new Float32Array(this.#kernel.memory.buffer, place, count);
  }

  numbers(place: number, count: number): Uint32Array {
    return new Uint32Array(this.#kernel.memory.buffer, place, count);
  }
}

function isLearnKernel(exports: unknown): exports is LearnKernel {
  if (typeof exports !== "object" || exports === null || !("memory" in exports)) return false;
  const entries = new Map<string, unknown>(Object.entries(exports));
  return ["base", "addProduct", "gram", "multiply", "addRows"].every(
    (name) => typeof entries.get(name) === "function",
  );
}
