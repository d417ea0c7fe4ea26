/** Rows with estimated scores, in no order, each once. */
export interface Estimates {
  readonly count: number;
  readonly rows: Uint32Array;
  readonly scores: Float32Array;
}

/** Cells of the histogram that finds where the best begin: more cells, fewer estimates to sort beyond those wanted. */
const CELLS = 2_048;
/** A choice, not tuned: of a document's passages only one counts, but no more than so many times what is wanted is looked at. */
const ROWS_PER_GROUP = 4;

/** Returns the rows with the best estimates, best first, until `wanted` groups are among them. */
export function bestRows(
  estimates: Estimates,
  { wanted, groupOf }: { readonly wanted: number; readonly groupOf: ((row: number) => number) | null },
): number[] {
  const most = groupOf === null ? wanted : wanted * ROWS_PER_GROUP;
  const places = placesAbove(estimates, thresholdOf(estimates, most));
  const { rows, scores } = estimates;
  places.sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || (rows[a] ?? 0) - (rows[b] ?? 0));
  const found: number[] = [];
  const groups = new Set<number>();
  for (const place of places.subarray(0, most)) {
    const row = rows[place] ?? 0;
    if (groups.size >= wanted) break;
    groups.add(groupOf === null ? row : groupOf(row));
    found.push(row);
  }
  return found;
}

/** Returns an estimate that at least `wanted` reach, or the lowest. */
function thresholdOf({ count, scores }: Estimates, wanted: number): number {
  let lowest = Infinity;
  let highest = -Infinity;
  for (let at = 0; at < count; at += 1) {
    const score = scores[at] ?? 0;
    if (score < lowest) lowest = score;
    if (score > highest) highest = score;
  }
  if (count <= wanted || highest <= lowest) return lowest;
  const cells = new Uint32Array(CELLS);
  const perUnit = (CELLS - 1) / (highest - lowest);
  for (let at = 0; at < count; at += 1) {
    const cell = Math.floor(((scores[at] ?? 0) - lowest) * perUnit);
    cells[cell] = (cells[cell] ?? 0) + 1;
  }
  let counted = 0;
  let cell = CELLS - 1;
  for (; cell > 0 && counted < wanted; cell -= 1) counted += cells[cell] ?? 0;
  // The loop has passed the cell that it needed.
  return lowest + cell / perUnit;
}

function placesAbove({ count, scores }: Estimates, threshold: number): Uint32Array {
  const places = new Uint32Array(count);
  let found = 0;
  for (let at = 0; at < count; at += 1) {
    if ((scores[at] ?? 0) < threshold) continue;
    places[found] = at;
    found += 1;
  }
  return places.subarray(0, found);
}
