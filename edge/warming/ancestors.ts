/** Which list of the generation before a new list comes from. */

/** Most lists are told apart by their first components, which carry most of the variance. */
const STRIDE = 32;

/**
 * Returns for each new centroid the number of the old centroid that is nearest to it.
 *
 * Every generation clusters anew, so no list outlives it; but a list is a place, and its neighbourhood is as much in
 * demand after a build as before. The centroids are resident anyway; counting which rows moved where would need the list
 * of each row in both generations, which no reader has. From new to old rather than the other way: a third of the new
 * lists would be nobody's nearest and start cold.
 */
export function nearestAncestors(
  newCentroids: Float32Array,
  oldCentroids: Float32Array,
  dimensions: number,
): Uint32Array {
  const ancestors = new Uint32Array(newCentroids.length / dimensions);
  const oldCount = oldCentroids.length / dimensions;
  for (let list = 0; list < ancestors.length; list += 1) {
    const from = list * dimensions;
    let nearest = 0;
    let least = Infinity;
    for (let old = 0; old < oldCount; old += 1) {
      const to = old * dimensions;
      let square = 0;
      // A distance that is too long already is not finished.
      for (let at = 0; at < dimensions && square < least; at += STRIDE) {
        const end = Math.min(at + STRIDE, dimensions);
        for (let i = at; i < end; i += 1) {
          const difference = (newCentroids[from + i] ?? 0) - (oldCentroids[to + i] ?? 0);
          square += difference * difference;
        }
      }
      if (square < least) {
        least = square;
        nearest = old;
      }
    }
    ancestors[list] = nearest;
  }
  return ancestors;
}
