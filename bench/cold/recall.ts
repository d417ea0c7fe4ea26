/** How much of the true top an index found. */
import { exactDot } from "@kattegat/engine/vector/dot.ts";
import { rowOf, type ExactTop } from "./exact-top.ts";
import type { VectorFile } from "./vector-block.ts";

/** Sums in another order differ by less; versions of one text have equal vectors, so equal scores. */
const TIE = 1e-6;
const BLOCK_ROWS = 16_384;

/** Returns the mean of `recallsOf`. */
export async function recallOf(...asked: Parameters<typeof recallsOf>): Promise<number> {
  const recalls = await recallsOf(...asked);
  return recalls.reduce((sum, recall) => sum + recall, 0) / recalls.length;
}

/**
 * Returns for each query the share of the true top that was found; a row that ties with the last of it is as right as that one.
 *
 * `found` has row numbers of the file for each query, `truths` the true top for each query. The found rows are scored from
 * the file in one pass, so the index under test need not tell the truth about its scores.
 */
export async function recallsOf(
  file: VectorFile,
  queries: readonly Float32Array[],
  found: readonly (readonly number[])[],
  truths: readonly Pick<ExactTop, "scores">[],
): Promise<readonly number[]> {
  if (found.length !== queries.length || truths.length !== queries.length)
    throw new RangeError(
      `expected ${queries.length} answers with truths, got ${found.length} with ${truths.length}`,
    );
  const asked = new Map<number, number[]>();
  for (const [at, rows] of found.entries())
    for (const row of new Set(rows)) asked.set(row, [...(asked.get(row) ?? []), at]);
  const right = new Float64Array(queries.length);
  const ordered = [...asked].sort(([a], [b]) => a - b);
  let next = 0;
  for await (const block of file.blocks(BLOCK_ROWS)) {
    for (; next < ordered.length; next += 1) {
      const [row, queriesOf] = ordered[next] ?? [Infinity, []];
      if (row >= block.firstRow + block.rows) break;
      const vector = rowOf(block, file.dimensions, row - block.firstRow);
      for (const at of queriesOf) {
        const worst = truths[at]?.scores.at(-1) ?? Infinity;
        if (exactDot(queries[at] ?? vector, vector) >= worst - TIE) right[at] = (right[at] ?? 0) + 1;
      }
    }
  }
  return truths.map(({ scores }, at) =>
    scores.length === 0 ? 1 : Math.min(right[at] ?? 0, scores.length) / scores.length,
  );
}
