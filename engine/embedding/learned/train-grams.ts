import { type RowTable, writeRow } from "./rows.ts";
import { rowBytes } from "./artefact.ts";
import { eachGram } from "./word-key.ts";

export interface GramRows {
  /** Ascending. */
  readonly hashes: Uint32Array;
  readonly rows: Uint8Array;
}

/** A run of fewer words is as good as their spelling: it would say too much, of too little. */
const GRAM_WORDS_MIN = 3;

/**
 * Returns for the most widespread runs of 4 and 5 units the mean direction of the words that hold them.
 *
 * The mean is not scaled to unit length: a run whose words disagree then counts less, without a weight of its own.
 */
export function trainGrams(
  words: readonly string[],
  rows: RowTable,
  options: { readonly dimensions: number; readonly gramsMax: number },
): GramRows {
  const { dimensions, gramsMax } = options;
  const counts = new Map<number, number>();
  for (const word of words) eachGram(word, (hash) => counts.set(hash, (counts.get(hash) ?? 0) + 1));
  const kept = [...counts].filter(([, count]) => count >= GRAM_WORDS_MIN);
  kept.sort(([leftHash, left], [rightHash, right]) => right - left || leftHash - rightHash);
  const hashes = Uint32Array.from(kept.slice(0, gramsMax), ([hash]) => hash).sort();
  const places = new Map<number, number>();
  hashes.forEach((hash, at) => places.set(hash, at));
  const sums = new Float32Array(hashes.length * dimensions);
  const row = new Float32Array(dimensions);
  const mean = new Float64Array(dimensions);
  words.forEach((word, rank) => {
    row.fill(0);
    rows.addTo(row, rank, 1);
    let squares = 0;
    for (const value of row) squares += value * value;
    if (squares === 0) return;
    const scale = 1 / Math.sqrt(squares);
    eachGram(word, (hash) => {
      const at = places.get(hash);
      if (at === undefined) return;
      const from = at * dimensions;
      for (let i = 0; i < dimensions; i += 1) sums[from + i] = (sums[from + i] ?? 0) + (row[i] ?? 0) * scale;
    });
  });
  const records = new Uint8Array(hashes.length * rowBytes(dimensions));
  hashes.forEach((hash, at) => {
    const share = 1 / (counts.get(hash) ?? 1);
    for (let i = 0; i < dimensions; i += 1) mean[i] = (sums[at * dimensions + i] ?? 0) * share;
    writeRow(records, at, mean);
  });
  return { hashes, rows: records };
}
