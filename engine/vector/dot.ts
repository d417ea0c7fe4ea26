/**
 * Returns the dot product that is a passage's dense score, in float32.
 *
 * The products are summed in float64 in four lanes and added as (0+2)+(1+3), which is what the kernel's
 * `dot` does: the same bits come out on every machine and in both implementations.
 */
export function exactDot(left: Float32Array, right: Float32Array): number {
  if (left.length !== right.length)
    throw new RangeError(`expected ${left.length} dimensions, got ${right.length}`);
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  for (let i = 0; i < left.length; i += 4) {
    a += (left[i] ?? 0) * (right[i] ?? 0);
    b += (left[i + 1] ?? 0) * (right[i + 1] ?? 0);
    c += (left[i + 2] ?? 0) * (right[i + 2] ?? 0);
    d += (left[i + 3] ?? 0) * (right[i + 3] ?? 0);
  }
  return Math.fround(a + c + (b + d));
}
