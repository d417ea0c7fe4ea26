/** A square matrix in row-major float64. */
export interface SquareMatrix {
  readonly size: number;
  readonly values: Float64Array;
}

/** Columns whose part that is new lies below this share of their square are noise of float32. */
const PIVOT_SHARE_MIN = 1e-9;

/**
 * Returns the upper triangular M for which Z·M has orthonormal columns, given G = ZᵀZ: the inverse of Cholesky's factor.
 *
 * Cholesky QR (Golub and Van Loan, Matrix Computations, 4th edition, section 5.2.9 and algorithm 4.2.1). A column that
 * depends on those before it becomes zero.
 */
export function orthonormaliser(gram: SquareMatrix): SquareMatrix {
  const { size } = gram;
  const factor = new Float64Array(size * size);
  const kept = new Uint8Array(size);
  for (let j = 0; j < size; j += 1) {
    const square = gram.values[j * size + j] ?? 0;
    // Row j of R, where G = RᵀR: R[j][k] = (G[j][k] − Σ_{i<j} R[i][j]·R[i][k]) / R[j][j].
    const row = Float64Array.from(gram.values.subarray(j * size, (j + 1) * size));
    for (let i = 0; i < j; i += 1) {
      const share = factor[i * size + j] ?? 0;
      if (share === 0) continue;
      for (let k = j; k < size; k += 1) row[k] = (row[k] ?? 0) - share * (factor[i * size + k] ?? 0);
    }
    const pivot = row[j] ?? 0;
    if (!(pivot > square * PIVOT_SHARE_MIN)) continue;
    kept[j] = 1;
    const scale = 1 / Math.sqrt(pivot);
    for (let k = j; k < size; k += 1) factor[j * size + k] = (row[k] ?? 0) * scale;
  }
  return invertTriangle(factor, kept, size);
}

/** Back substitution, row by row from the last: M = R⁻¹ on the kept columns, zero elsewhere. */
function invertTriangle(factor: Float64Array, kept: Uint8Array, size: number): SquareMatrix {
  const values = new Float64Array(size * size);
  for (let i = size - 1; i >= 0; i -= 1) {
    if (kept[i] === 0) continue;
    const row = new Float64Array(size);
    row[i] = 1;
    for (let k = i + 1; k < size; k += 1) {
      const share = factor[i * size + k] ?? 0;
      if (share === 0 || kept[k] === 0) continue;
      for (let j = k; j < size; j += 1) row[j] = (row[j] ?? 0) - share * (values[k * size + j] ?? 0);
    }
    const scale = 1 / (factor[i * size + i] ?? 1);
    for (let j = i; j < size; j += 1) values[i * size + j] = (row[j] ?? 0) * scale * (kept[j] ?? 0);
  }
  return { size, values };
}

/** Eigenvalues, largest first, with their vectors as columns. */
export interface Eigen {
  readonly values: Float64Array;
  readonly vectors: SquareMatrix;
}

/** Jacobi's sweeps converge quadratically in the end: about ten do for a few hundred columns. */
const SWEEPS_MAX = 30;
const OFF_SHARE_MIN = 1e-20;

/** Returns the eigenvalues of a symmetric matrix by cyclic Jacobi rotations (Golub and Van Loan, algorithm 8.5.3). */
export function symmetricEigen({ size, values }: SquareMatrix): Eigen {
  const a = Float64Array.from(values);
  // Row i of v is the i-th vector: rotations then run along memory.
  const v = new Float64Array(size * size);
  for (let i = 0; i < size; i += 1) v[i * size + i] = 1;
  for (let sweep = 0; sweep < SWEEPS_MAX; sweep += 1) {
    const { off, all } = squaresOf(a, size);
    if (off <= all * OFF_SHARE_MIN) break;
    const skip = Math.sqrt(all * OFF_SHARE_MIN) / size;
    for (let p = 0; p < size; p += 1)
      for (let q = p + 1; q < size; q += 1)
        if (Math.abs(a[p * size + q] ?? 0) > skip) rotate(a, v, size, p, q);
  }
  const order = Array.from({ length: size }, (_, at) => at).sort(
    (left, right) => (a[right * size + right] ?? 0) - (a[left * size + left] ?? 0) || left - right,
  );
  const vectors = new Float64Array(size * size);
  order.forEach((from, to) => {
    for (let i = 0; i < size; i += 1) vectors[i * size + to] = v[from * size + i] ?? 0;
  });
  return {
    values: Float64Array.from(order, (at) => a[at * size + at] ?? 0),
    vectors: { size, values: vectors },
  };
}

function squaresOf(a: Float64Array, size: number): { readonly off: number; readonly all: number } {
  let off = 0;
  let all = 0;
  for (let i = 0; i < size; i += 1)
    for (let j = 0; j < size; j += 1) {
      const square = (a[i * size + j] ?? 0) ** 2;
      all += square;
      if (i !== j) off += square;
    }
  return { off, all };
}

/** Makes a[p][q] zero by a rotation; both triangles are kept. */
function rotate(a: Float64Array, v: Float64Array, size: number, p: number, q: number): void {
  const pq = a[p * size + q] ?? 0;
  const pp = a[p * size + p] ?? 0;
  const qq = a[q * size + q] ?? 0;
  const tau = (qq - pp) / (2 * pq);
  const t = (tau >= 0 ? 1 : -1) / (Math.abs(tau) + Math.sqrt(1 + tau * tau));
  const c = 1 / Math.sqrt(1 + t * t);
  const s = t * c;
  turnRows(a, p * size, q * size, size, [c, s]);
  turnRows(v, p * size, q * size, size, [c, s]);
  // Symmetry: the columns are what the rows have become.
  for (let k = 0; k < size; k += 1) {
    a[k * size + p] = a[p * size + k] ?? 0;
    a[k * size + q] = a[q * size + k] ?? 0;
  }
  a[p * size + p] = pp - t * pq;
  a[q * size + q] = qq + t * pq;
  a[p * size + q] = 0;
  a[q * size + p] = 0;
}

function turnRows(
  m: Float64Array,
  p: number,
  q: number,
  size: number,
  [c, s]: readonly [number, number],
): void {
  for (let k = 0; k < size; k += 1) {
    const x = m[p + k] ?? 0;
    const y = m[q + k] ?? 0;
    m[p + k] = c * x - s * y;
    m[q + k] = s * x + c * y;
  }
}
