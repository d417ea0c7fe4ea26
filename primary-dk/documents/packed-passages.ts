/** Passages on their way out of the thread that makes them: few arrays, which change hands instead of being copied. */
import { z } from "zod";
import type { PreparedPassage } from "./passages.ts";

export const packedPassagesSchema = z.object({
  /** Start, end, number of terms of each passage. */
  places: z.instanceof(Uint32Array),
  ownTexts: z.array(z.string().nullable()),
  headings: z.array(z.string().nullable()),
  dense: z.instanceof(Float32Array),
  indices: z.instanceof(Uint32Array),
  values: z.instanceof(Float32Array),
});
export type PackedPassages = Readonly<z.infer<typeof packedPassagesSchema>>;

const PLACE_NUMBERS = 3;

/** Of passages without a vector of the model to come. */
export function packPassages(passages: readonly PreparedPassage[], dimensions: number): PackedPassages {
  const terms = passages.reduce((sum, { sparse }) => sum + sparse.indices.length, 0);
  const places = new Uint32Array(passages.length * PLACE_NUMBERS);
  const dense = new Float32Array(passages.length * dimensions);
  const indices = new Uint32Array(terms);
  const values = new Float32Array(terms);
  let from = 0;
  for (const [at, { start, end, dense: vector, sparse }] of passages.entries()) {
    places.set([start, end, sparse.indices.length], at * PLACE_NUMBERS);
    dense.set(vector, at * dimensions);
    indices.set(sparse.indices, from);
    values.set(sparse.values, from);
    from += sparse.indices.length;
  }
  return {
    places,
    ownTexts: passages.map(({ ownText }) => ownText),
    headings: passages.map(({ heading }) => heading),
    dense,
    indices,
    values,
  };
}

export function unpackPassages(
  { places, ownTexts, headings, dense, indices, values }: PackedPassages,
  dimensions: number,
): readonly PreparedPassage[] {
  let from = 0;
  return headings.map((heading, at): PreparedPassage => {
    const [start = 0, end = 0, terms = 0] = places.subarray(at * PLACE_NUMBERS, (at + 1) * PLACE_NUMBERS);
    const to = from + terms;
    const sparse = { indices: indices.subarray(from, to), values: values.subarray(from, to) };
    from = to;
    return {
      ordinal: at + 1,
      start,
      end,
      ownText: ownTexts[at] ?? null,
      heading,
      dense: dense.subarray(at * dimensions, (at + 1) * dimensions),
      denseNext: null,
      sparse,
    };
  });
}
