import type { RowHit } from "./parts.ts";

/**
 * Returns the rows whose documents can still stand on a page of `page` hits, whatever other sites bring.
 *
 * Fusing adds 1 / (k + rank) over both lists, and other sites can only push ranks down, in the same order. So a hit that
 * has `page` others before it in every list that it is in (a list that it is not in counts as its end) stays behind each
 * of them: nobody need know its name, only its score, which counts for the ranks of others. Equal scores may come in any
 * order, so a hit is before another only when its score is higher.
 */
export function nameableRows(
  lists: { readonly dense: readonly RowHit[]; readonly lexical: readonly RowHit[] },
  { page, keyOf }: { readonly page: number; readonly keyOf: (row: number) => number },
): ReadonlySet<number> {
  if (page === 0) return new Set();
  const standings = new Map<number, { dense: number; lexical: number }>();
  for (const list of ["dense", "lexical"] as const) {
    for (const { row, score } of lists[list]) {
      const key = keyOf(row);
      const standing = standings.get(key) ?? { dense: -Infinity, lexical: -Infinity };
      standing[list] = Math.max(standing[list], score);
      standings.set(key, standing);
    }
  }
  const all = [...standings];
  const named = new Set<number>();
  for (const [key, standing] of all) {
    let before = 0;
    for (const [, other] of all) {
      if (!isBefore(other, standing)) continue;
      before += 1;
      if (before === page) break;
    }
    if (before < page) named.add(key);
  }
  const rows = [...lists.dense, ...lists.lexical].map(({ row }) => row);
  return new Set(rows.filter((row) => named.has(keyOf(row))));
}

interface Standing {
  readonly dense: number;
  readonly lexical: number;
}

function isBefore(other: Standing, standing: Standing): boolean {
  return isAhead(other.dense, standing.dense) && isAhead(other.lexical, standing.lexical);
}

/** Neither in the list is no difference. */
function isAhead(other: number, score: number): boolean {
  return other > score || (other === -Infinity && score === -Infinity);
}
