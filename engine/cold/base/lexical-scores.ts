import type { Ranked } from "../../index/ranking.ts";
import type { QueryTerm } from "./lexical-query.ts";
import type { PostingDecoder } from "./posting-decoder.ts";
import { readRun } from "./posting-run.ts";

/**
 * Yields the exact score of each of the rows that has a term of the query.
 *
 * Products are added in float64 in ascending order of term id, the sum is rounded to float32 once: the number that
 * `createSparseScores` gives.
 *
 * @param terms ascending by id, each with its runs ascending by row
 */
export function* exactScores(
  rows: Uint32Array,
  terms: readonly QueryTerm[],
  decoder: PostingDecoder,
): Generator<Ranked> {
  const sums = new Float64Array(rows.length);
  const isPresent = new Uint8Array(rows.length);
  for (const { runs, weight } of terms) {
    let next = 0;
    for (const run of runs)
      readRun(run, decoder, (size) => {
        for (let i = 0; i < size && next < rows.length; i += 1) {
          const row = decoder.rows[i] ?? 0;
          while (next < rows.length && (rows[next] ?? 0) < row) next += 1;
          if (rows[next] !== row) continue;
          sums[next] = (sums[next] ?? 0) + weight * (decoder.values[i] ?? 0);
          isPresent[next] = 1;
        }
      });
  }
  for (let i = 0; i < rows.length; i += 1)
    if (isPresent[i] === 1) yield { slot: rows[i] ?? 0, score: Math.fround(sums[i] ?? 0) };
}
