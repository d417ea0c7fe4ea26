/**
 * Returns a deterministic pseudo-random rotation of vectors with `dimensions` components.
 *
 * Random signs followed by a fast Walsh-Hadamard transform approximate a random rotation in n·log n steps
 * (Ailon and Chazelle, "The Fast Johnson-Lindenstrauss Transform", 2009). The transform wants a power of two, so it
 * runs alternately over the first and the last 2^k components: orthogonal, and no padding (384 stays 384).
 */
export function createRotation(dimensions: number): (vector: Float32Array) => Float32Array {
  const width = 2 ** Math.floor(Math.log2(dimensions));
  const signs = randomSigns(dimensions * ROUNDS);
  const norm = 1 / Math.sqrt(width);
  return (vector) => {
    const rotated = vector.slice();
    for (let round = 0; round < ROUNDS; round += 1) {
      for (let i = 0; i < dimensions; i += 1) {
        rotated[i] = (rotated[i] ?? 0) * (signs[round * dimensions + i] ?? 1);
      }
      const start = round % 2 === 0 ? 0 : dimensions - width;
      transform(rotated.subarray(start, start + width), norm);
    }
    return rotated;
  };
}

/** Four rounds carry every component into every other through the shared middle. */
const ROUNDS = 4;
/** Fixed for ever: codes made with another seed cannot be compared. */
const SEED = 0x6b617474;

function randomSigns(count: number): Int8Array {
  const signs = new Int8Array(count);
  let state = SEED;
  for (let i = 0; i < count; i += 1) {
    // xorshift32 (Marsaglia, 2003): small, and the same on every machine.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    signs[i] = state < 0 ? -1 : 1;
  }
  return signs;
}

/** Two steps of the transform at a time: each number is loaded and stored half as often, every sum is the same. */
function transform(values: Float32Array, norm: number): void {
  const length = values.length;
  let half = 1;
  for (; half * 2 < length; half *= 4) {
    for (let block = 0; block < length; block += half * 4) {
      for (let i = block; i < block + half; i += 1) {
        const a = values[i] ?? 0;
        const b = values[i + half] ?? 0;
        const c = values[i + half * 2] ?? 0;
        const d = values[i + half * 3] ?? 0;
        const ab = Math.fround(a + b);
        const cd = Math.fround(c + d);
        const aLessB = Math.fround(a - b);
        const cLessD = Math.fround(c - d);
        values[i] = ab + cd;
        values[i + half] = aLessB + cLessD;
        values[i + half * 2] = ab - cd;
        values[i + half * 3] = aLessB - cLessD;
      }
    }
  }
  for (let i = 0; half < length && i < half; i += 1) {
    const left = values[i] ?? 0;
    const right = values[i + half] ?? 0;
    values[i] = left + right;
    values[i + half] = left - right;
  }
  for (let i = 0; i < length; i += 1) values[i] = (values[i] ?? 0) * norm;
}
