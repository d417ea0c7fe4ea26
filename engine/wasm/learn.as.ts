/**
 * The SIMD kernel that training and embedding of whole corpora spend their time in (AssemblyScript, not TypeScript).
 *
 * Matrices are row-major float32; `stride` is the number of columns, a multiple of 16, all of them used. The caller lays out
 * memory: every argument that is no count is an offset in bytes.
 */

/** Returns the first free byte of memory. */
export function base(): usize {
  return (__heap_base + 15) & ~15;
}

/**
 * Adds AᵀA·Q to Z for rows `from` to `to` of a sparse A (`starts`, `columns`, `weights`): one pass, no transposed copy.
 *
 * `scratch` holds one row.
 */
export function addProduct(
  starts: usize, columns: usize, weights: usize, from: i32, to: i32,
  q: usize, z: usize, scratch: usize, stride: i32,
): void {
  const rowBytes: usize = <usize>stride << 2;
  for (let row = from; row < to; row += 1) {
    const begin = load<u32>(starts + (<usize>row << 2));
    const end = load<u32>(starts + (<usize>row << 2) + 4);
    memory.fill(scratch, 0, rowBytes);
    let at = begin;
    for (; at + 4 <= end; at += 4) {
      const c = columns + (<usize>at << 2);
      const w = weights + (<usize>at << 2);
      const q0 = q + <usize>load<u32>(c) * rowBytes;
      const q1 = q + <usize>load<u32>(c + 4) * rowBytes;
      const q2 = q + <usize>load<u32>(c + 8) * rowBytes;
      const q3 = q + <usize>load<u32>(c + 12) * rowBytes;
      const w0 = v128.load32_splat(w);
      const w1 = v128.load32_splat(w + 4);
      const w2 = v128.load32_splat(w + 8);
      const w3 = v128.load32_splat(w + 12);
      for (let i: usize = 0; i < rowBytes; i += 16) {
        const a = f32x4.add(f32x4.mul(w0, v128.load(q0 + i)), f32x4.mul(w1, v128.load(q1 + i)));
        const b = f32x4.add(f32x4.mul(w2, v128.load(q2 + i)), f32x4.mul(w3, v128.load(q3 + i)));
        v128.store(scratch + i, f32x4.add(v128.load(scratch + i), f32x4.add(a, b)));
      }
    }
    for (; at < end; at += 1) {
      const q0 = q + <usize>load<u32>(columns + (<usize>at << 2)) * rowBytes;
      const w0 = v128.load32_splat(weights + (<usize>at << 2));
      for (let i: usize = 0; i < rowBytes; i += 16)
        v128.store(scratch + i, f32x4.add(v128.load(scratch + i), f32x4.mul(w0, v128.load(q0 + i))));
    }
    for (at = begin; at < end; at += 1) {
      const z0 = z + <usize>load<u32>(columns + (<usize>at << 2)) * rowBytes;
      const w0 = v128.load32_splat(weights + (<usize>at << 2));
      for (let i: usize = 0; i < rowBytes; i += 16)
        v128.store(z0 + i, f32x4.add(v128.load(z0 + i), f32x4.mul(w0, v128.load(scratch + i))));
    }
  }
}

/** Writes the upper triangle (tiles of 4 × 16 that touch it) of LᵀR over `rows` rows into `out`. */
export function gram(left: usize, right: usize, rows: i32, stride: i32, out: usize): void {
  const rowBytes: usize = <usize>stride << 2;
  for (let i = 0; i < stride; i += 4) {
    for (let j = i & ~15; j < stride; j += 16) {
      let l = left + (<usize>i << 2);
      let r = right + (<usize>j << 2);
      let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
      let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      let c0 = a0, c1 = a0, c2 = a0, c3 = a0;
      let d0 = a0, d1 = a0, d2 = a0, d3 = a0;
      for (let row = 0; row < rows; row += 1) {
        const r0 = v128.load(r), r1 = v128.load(r, 16), r2 = v128.load(r, 32), r3 = v128.load(r, 48);
        let s = v128.load32_splat(l);
        a0 = f32x4.add(a0, f32x4.mul(s, r0));
        a1 = f32x4.add(a1, f32x4.mul(s, r1));
        a2 = f32x4.add(a2, f32x4.mul(s, r2));
        a3 = f32x4.add(a3, f32x4.mul(s, r3));
        s = v128.load32_splat(l, 4);
        b0 = f32x4.add(b0, f32x4.mul(s, r0));
        b1 = f32x4.add(b1, f32x4.mul(s, r1));
        b2 = f32x4.add(b2, f32x4.mul(s, r2));
        b3 = f32x4.add(b3, f32x4.mul(s, r3));
        s = v128.load32_splat(l, 8);
        c0 = f32x4.add(c0, f32x4.mul(s, r0));
        c1 = f32x4.add(c1, f32x4.mul(s, r1));
        c2 = f32x4.add(c2, f32x4.mul(s, r2));
        c3 = f32x4.add(c3, f32x4.mul(s, r3));
        s = v128.load32_splat(l, 12);
        d0 = f32x4.add(d0, f32x4.mul(s, r0));
        d1 = f32x4.add(d1, f32x4.mul(s, r1));
        d2 = f32x4.add(d2, f32x4.mul(s, r2));
        d3 = f32x4.add(d3, f32x4.mul(s, r3));
        l += rowBytes;
        r += rowBytes;
      }
      let o = out + <usize>i * rowBytes + (<usize>j << 2);
      v128.store(o, a0); v128.store(o, a1, 16); v128.store(o, a2, 32); v128.store(o, a3, 48);
      o += rowBytes;
      v128.store(o, b0); v128.store(o, b1, 16); v128.store(o, b2, 32); v128.store(o, b3, 48);
      o += rowBytes;
      v128.store(o, c0); v128.store(o, c1, 16); v128.store(o, c2, 32); v128.store(o, c3, 48);
      o += rowBytes;
      v128.store(o, d0); v128.store(o, d1, 16); v128.store(o, d2, 32); v128.store(o, d3, 48);
    }
  }
}

/** Replaces each of `rows` rows (a multiple of 4) by itself times M; of an upper triangular M only that triangle is read. */
export function multiply(matrix: usize, rows: i32, stride: i32, m: usize, triangular: bool, scratch: usize): void {
  const rowBytes: usize = <usize>stride << 2;
  for (let row = 0; row < rows; row += 4) {
    const from = matrix + <usize>row * rowBytes;
    memory.copy(scratch, from, rowBytes << 2);
    for (let j = 0; j < stride; j += 16) {
      const depth = triangular ? j + 16 : stride;
      let a0 = f32x4.splat(0), a1 = a0, a2 = a0, a3 = a0;
      let b0 = a0, b1 = a0, b2 = a0, b3 = a0;
      let c0 = a0, c1 = a0, c2 = a0, c3 = a0;
      let d0 = a0, d1 = a0, d2 = a0, d3 = a0;
      let l = scratch;
      let r = m + (<usize>j << 2);
      for (let k = 0; k < depth; k += 1) {
        const r0 = v128.load(r), r1 = v128.load(r, 16), r2 = v128.load(r, 32), r3 = v128.load(r, 48);
        let s = v128.load32_splat(l);
        a0 = f32x4.add(a0, f32x4.mul(s, r0));
        a1 = f32x4.add(a1, f32x4.mul(s, r1));
        a2 = f32x4.add(a2, f32x4.mul(s, r2));
        a3 = f32x4.add(a3, f32x4.mul(s, r3));
        s = v128.load32_splat(l + rowBytes);
        b0 = f32x4.add(b0, f32x4.mul(s, r0));
        b1 = f32x4.add(b1, f32x4.mul(s, r1));
        b2 = f32x4.add(b2, f32x4.mul(s, r2));
        b3 = f32x4.add(b3, f32x4.mul(s, r3));
        s = v128.load32_splat(l + (rowBytes << 1));
        c0 = f32x4.add(c0, f32x4.mul(s, r0));
        c1 = f32x4.add(c1, f32x4.mul(s, r1));
        c2 = f32x4.add(c2, f32x4.mul(s, r2));
        c3 = f32x4.add(c3, f32x4.mul(s, r3));
        s = v128.load32_splat(l + rowBytes * 3);
        d0 = f32x4.add(d0, f32x4.mul(s, r0));
        d1 = f32x4.add(d1, f32x4.mul(s, r1));
        d2 = f32x4.add(d2, f32x4.mul(s, r2));
        d3 = f32x4.add(d3, f32x4.mul(s, r3));
        l += 4;
        r += rowBytes;
      }
      let o = from + (<usize>j << 2);
      v128.store(o, a0); v128.store(o, a1, 16); v128.store(o, a2, 32); v128.store(o, a3, 48);
      o += rowBytes;
      v128.store(o, b0); v128.store(o, b1, 16); v128.store(o, b2, 32); v128.store(o, b3, 48);
      o += rowBytes;
      v128.store(o, c0); v128.store(o, c1, 16); v128.store(o, c2, 32); v128.store(o, c3, 48);
      o += rowBytes;
      v128.store(o, d0); v128.store(o, d1, 16); v128.store(o, d2, 32); v128.store(o, d3, 48);
    }
  }
}

/**
 * Adds row records (float32 scale, then `dimensions` int8, a multiple of 4) to float32 sums, in the order of the list.
 *
 * The list holds a place and a float32 weight for each; the weights become factors. Every product and every sum is rounded to float32, as
 * the same loop over Float32Array and Math.fround does: columns outside, so that sums stay in registers.
 */
export function addRows(list: usize, count: i32, sums: usize, dimensions: i32): void {
  const listEnd = list + (<usize>count << 3);
  for (let at = list; at < listEnd; at += 8) store<f32>(at, load<f32>(at, 4) * load<f32>(<usize>load<u32>(at)), 4);
  const whole: usize = <usize>(dimensions & ~15);
  const end: usize = <usize>dimensions;
  let i: usize = 0;
  for (; i < whole; i += 16) {
    const s = sums + (i << 2);
    let a = v128.load(s), b = v128.load(s, 16), c = v128.load(s, 32), d = v128.load(s, 48);
    for (let at = list; at < listEnd; at += 8) {
      const factor = v128.load32_splat(at, 4);
      const bytes = v128.load(<usize>load<u32>(at) + i, 4);
      const low = i16x8.extend_low_i8x16_s(bytes);
      const high = i16x8.extend_high_i8x16_s(bytes);
      a = f32x4.add(a, f32x4.mul(factor, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(low))));
      b = f32x4.add(b, f32x4.mul(factor, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(low))));
      c = f32x4.add(c, f32x4.mul(factor, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(high))));
      d = f32x4.add(d, f32x4.mul(factor, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(high))));
    }
    v128.store(s, a); v128.store(s, b, 16); v128.store(s, c, 32); v128.store(s, d, 48);
  }
  for (; i < end; i += 1) {
    const s = sums + (i << 2);
    for (let at = list; at < listEnd; at += 8)
      store<f32>(s, load<f32>(s) + load<f32>(at, 4) * <f32>load<i8>(<usize>load<u32>(at) + 4 + i));
  }
}
