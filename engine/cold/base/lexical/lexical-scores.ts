import type { Ranked } from "../../../index/ranking.ts";
import type { QueryTerm } from "./lexical-query.ts";
import type { LexicalSections } from "./lexical-sections.ts";
import type { PostingDecoder } from "./posting-decoder.ts";
import { type PostingRun, readBlock, readRun, type RunBlocks } from "./posting-run.ts";
import { matrixValueOf } from "./term-matrix.ts";

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
  {
    decoder,
    sections,
    blocksOf,
  }: {
    readonly decoder: PostingDecoder;
    readonly sections: LexicalSections;
    /** Where the blocks of a run are, so that those without any of the rows are passed over; null when it is not known. */
    readonly blocksOf: (run: PostingRun) => RunBlocks | null;
  },
): Generator<Ranked> {
  const sums = new Float64Array(rows.length);
  const isPresent = new Uint8Array(rows.length);
  const { matrix, lengths } = sections;
  for (const { runs, weight, matrix: term } of terms) {
    let next = 0;
    for (let i = 0; term >= 0 && i < rows.length; i += 1) {
      const row = rows[i] ?? 0;
      const value = matrixValueOf(matrix, { term, row, length: lengths[row] ?? 0 });
      if (value < 0) continue;
      sums[i] = (sums[i] ?? 0) + weight * value;
      isPresent[i] = 1;
    }
    const add = (size: number): void => {
      for (let i = 0; i < size && next < rows.length; i += 1) {
        const row = decoder.rows[i] ?? 0;
        while (next < rows.length && (rows[next] ?? 0) < row) next += 1;
        if (rows[next] !== row) continue;
        sums[next] = (sums[next] ?? 0) + weight * (decoder.values[i] ?? 0);
        isPresent[next] = 1;
      }
    };
    for (const run of runs) {
      const blocks = blocksOf(run);
      if (blocks === null) readRun(run, decoder, add);
      for (let block = 0; block < (blocks?.lasts.length ?? 0) && next < rows.length; block += 1) {
        const previous = block === 0 ? run.previous : (blocks?.lasts[block - 1] ?? 0);
        while (next < rows.length && (rows[next] ?? 0) <= previous) next += 1;
        if (blocks !== null && (rows[next] ?? Infinity) <= (blocks.lasts[block] ?? 0))
          add(readBlock(run, decoder, { ...blocks, block }));
      }
    }
  }
  for (let i = 0; i < rows.length; i += 1)
    if (isPresent[i] === 1) yield { slot: rows[i] ?? 0, score: Math.fround(sums[i] ?? 0) };
}
