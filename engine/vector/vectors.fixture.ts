/** Random vectors with a seed, some of them clustered as embeddings of legal texts are. */
import { normalRandom } from "../normal-random.ts";

/** Returns a vector of unit length. */
export function unitVector(dimensions: number, random: () => number): Float32Array {
  return normalised(Float32Array.from({ length: dimensions }, () => normalRandom(random)));
}

/** Returns vectors around `centres` points, with long tails in few components as hashed n-grams have them. */
export function clusteredVectors(
  count: number,
  { dimensions, centres, random }: { dimensions: number; centres: number; random: () => number },
): Float32Array[] {
  const middles = Array.from({ length: centres }, () => unitVector(dimensions, random));
  return Array.from({ length: count }, (_, i) => {
    const middle = middles[i % centres] ?? new Float32Array(dimensions);
    return normalised(
      middle.map((value) => {
        const isLarge = random() < 0.1;
        return value + (normalRandom(random) * (isLarge ? 2 : 0.4)) / Math.sqrt(dimensions);
      }),
    );
  });
}

function normalised(vector: Float32Array): Float32Array {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
