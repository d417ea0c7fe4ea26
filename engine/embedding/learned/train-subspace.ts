import type { SparseRows } from "./train-sample.ts";
import { instantiateLearnKernel, KernelMemory, type LearnKernel } from "./learn-kernel.ts";
import { orthonormaliser, type SquareMatrix, symmetricEigen } from "./train-small-matrix.ts";

/** The leading right singular vectors of a sparse matrix. */
export interface Subspace {
  readonly singularValues: Float64Array;
  /** Row-major: `stride` numbers for each column of the sparse matrix, the first `dimensions` of them singular vectors. */
  readonly rows: Float32Array;
  readonly stride: number;
}

/** Columns beside those asked for; Halko, Martinsson and Tropp advise five to ten, more costs less than another pass. */
const OVERSAMPLING = 16;
/** One that draws the subspace, two that sharpen it where singular values fall slowly (section 4.5 there), one for the values. */
const PASSES = 4;
/** Sums of 128 float32 products, then float64. */
const BLOCK_ROWS = 128;
const FLOAT_BYTES = 4;

interface Workspace {
  readonly kernel: LearnKernel;
  readonly memory: KernelMemory;
  readonly starts: number;
  readonly columns: number;
  readonly weights: number;
  readonly small: number;
  readonly scratch: number;
  readonly stride: number;
  readonly height: number;
}

/**
 * Returns the leading singular vectors by subspace iteration over AᵀA from a random start.
 *
 * Halko, Martinsson and Tropp, "Finding Structure with Randomness", SIAM Review 53 (2011), algorithms 4.4 and 5.1 with the
 * factorisation of the small matrix QᵀAᵀAQ; orthonormal columns by Cholesky QR between passes. The same seed, matrix
 * and module give the same bytes.
 */
export function truncatedSvd(
  rows: SparseRows,
  options: {
    readonly columns: number;
    readonly dimensions: number;
    readonly seed: number;
    readonly module: WebAssembly.Module;
    readonly onPass?: (pass: number, passes: number) => void;
  },
): Subspace {
  const stride = Math.ceil((options.dimensions + OVERSAMPLING) / 16) * 16;
  // A block of rows that begins at the last column's row must not leave the matrix.
  const height = Math.ceil(options.columns / BLOCK_ROWS) * BLOCK_ROWS;
  const kernel = instantiateLearnKernel(options.module);
  const matrixBytes = height * stride * FLOAT_BYTES;
  const smallBytes = stride * stride * FLOAT_BYTES;
  const entries = rows.columns.length;
  const memory = new KernelMemory(
    kernel,
    2 * matrixBytes + smallBytes + stride * 16 + (rows.starts.length + 2 * entries) * FLOAT_BYTES + 256,
  );
  let q = memory.take(matrixBytes);
  let z = memory.take(matrixBytes);
  const work: Workspace = {
    kernel,
    memory,
    starts: memory.take(rows.starts.length * FLOAT_BYTES),
    columns: memory.take(entries * FLOAT_BYTES),
    weights: memory.take(entries * FLOAT_BYTES),
    small: memory.take(smallBytes),
    scratch: memory.take(stride * 16),
    stride,
    height,
  };
  memory.numbers(work.starts, rows.starts.length).set(rows.starts);
  memory.numbers(work.columns, entries).set(rows.columns);
  memory.floats(work.weights, entries).set(rows.weights);
  fillRandom(memory.floats(q, options.columns * stride), options.seed);
  const passages = rows.starts.length - 1;
  for (let pass = 1; pass <= PASSES; pass += 1) {
    memory.floats(z, height * stride).fill(0);
    kernel.addProduct(work.starts, work.columns, work.weights, 0, passages, q, z, work.scratch, stride);
    if (pass < PASSES) {
      multiply(work, z, orthonormaliser(gram(work, z, z)), true);
      // The first made the columns nearly orthonormal; the second undoes what rounding left (CholeskyQR2, Yamamoto et al. 2015).
      if (pass === PASSES - 1) multiply(work, z, orthonormaliser(gram(work, z, z)), true);
      [q, z] = [z, q];
    }
    options.onPass?.(pass, PASSES);
  }
  const eigen = symmetricEigen(gram(work, q, z));
  multiply(work, q, eigen.vectors, false);
  return {
    singularValues: eigen.values.slice(0, options.dimensions).map((value) => Math.sqrt(Math.max(0, value))),
    rows: memory.floats(q, options.columns * stride),
    stride,
  };
}

/** Returns LᵀR, symmetric, from its upper triangle. */
function gram(
  { kernel, memory, small, stride, height }: Workspace,
  left: number,
  right: number,
): SquareMatrix {
  const values = new Float64Array(stride * stride);
  const part = memory.floats(small, stride * stride);
  const blockBytes = BLOCK_ROWS * stride * FLOAT_BYTES;
  for (let block = 0; block < height / BLOCK_ROWS; block += 1) {
    kernel.gram(left + block * blockBytes, right + block * blockBytes, BLOCK_ROWS, stride, small);
    for (let i = 0; i < stride; i += 1)
      for (let at = i * stride + i; at < (i + 1) * stride; at += 1)
        values[at] = (values[at] ?? 0) + (part[at] ?? 0);
  }
  for (let i = 0; i < stride; i += 1)
    for (let j = 0; j < i; j += 1) values[i * stride + j] = values[j * stride + i] ?? 0;
  return { size: stride, values };
}

function multiply(work: Workspace, matrix: number, factor: SquareMatrix, triangular: boolean): void {
  work.memory.floats(work.small, work.stride * work.stride).set(factor.values);
  work.kernel.multiply(matrix, work.height, work.stride, work.small, triangular, work.scratch);
}

/** Uniform numbers around zero, by xorshift (Marsaglia 2003): any isotropic start spans the same space. */
function fillRandom(values: Float32Array, seed: number): void {
  let state = (Math.imul(seed, 0x9e3779b1) ^ 0x6a09e667) | 1;
  for (let at = 0; at < values.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    values[at] = state / 2 ** 31;
  }
}
