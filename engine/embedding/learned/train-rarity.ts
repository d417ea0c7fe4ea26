import type { Vocabulary } from "./train-count.ts";
import type { SparseRows } from "./train-sample.ts";

/** A word that stands in every like passage still says a little: which passages those are. */
const RARITY_MIN = 0.5;

/**
 * Returns for each word of the vocabulary how rare it is among passages like those that hold it.
 *
 * That is ln((M + 1) / (df + ½)), where M estimates the number of like passages: all passages times the ratio of the geometric mean
 * frequency of the words in them to that of all. In a corpus of one kind it is the usual inverse document frequency. In a mixed one the
 * function words of a language with few passages would count as rare words do: "the" of 574 English passages among 608,000.
 */
export function localRarities(
  { counts, passages }: Vocabulary,
  { starts, columns }: Pick<SparseRows, "starts" | "columns">,
): Float64Array {
  const logs = Float64Array.from(counts, (count) => Math.log(count));
  const sums = new Float64Array(counts.length);
  const held = new Uint32Array(counts.length);
  let overall = 0;
  let measured = 0;
  for (let row = 0; row + 1 < starts.length; row += 1) {
    const from = starts[row] ?? 0;
    const end = starts[row + 1] ?? 0;
    let mean = 0;
    for (let at = from; at < end; at += 1) mean += logs[columns[at] ?? 0] ?? 0;
    if (end === from) continue;
    mean /= end - from;
    overall += mean;
    measured += 1;
    for (let at = from; at < end; at += 1) {
      const column = columns[at] ?? 0;
      sums[column] = (sums[column] ?? 0) + mean;
      held[column] = (held[column] ?? 0) + 1;
    }
  }
  const usual = measured === 0 ? 0 : overall / measured;
  return Float64Array.from(counts, (count, word) => {
    const of = held[word] ?? 0;
    const beside = of === 0 ? 0 : Math.min(0, (sums[word] ?? 0) / of - usual);
    return Math.max(RARITY_MIN, Math.log((passages + 1) / (count + 0.5)) + beside);
  });
}
