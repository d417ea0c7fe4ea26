/** The best of what was offered, best first. */
export interface Nearest {
  /** `NOTHING` where less was offered. */
  readonly numbers: Uint16Array;
  readonly scores: Float32Array;
}

export const NOTHING = 0xffff;

export function createNearest(count: number): Nearest {
  return { numbers: new Uint16Array(count), scores: new Float32Array(count) };
}

export function forget({ numbers, scores }: Nearest): void {
  numbers.fill(NOTHING);
  scores.fill(-Infinity);
}

/** Offers scores under these numbers; of equal ones the first offered is ahead. By insertion: nearly all fail the first comparison. */
export function keepNearest(near: Nearest, numbers: Uint16Array, scores: Float32Array): void {
  const last = near.scores.length - 1;
  let lowest = near.scores[last] ?? -Infinity;
  for (let i = 0; i < numbers.length; i += 1) {
    const score = scores[i] ?? 0;
    if (score <= lowest) continue;
    let at = last;
    while (at > 0 && (near.scores[at - 1] ?? 0) < score) {
      near.scores[at] = near.scores[at - 1] ?? 0;
      near.numbers[at] = near.numbers[at - 1] ?? 0;
      at -= 1;
    }
    near.scores[at] = score;
    near.numbers[at] = numbers[i] ?? NOTHING;
    lowest = near.scores[last] ?? -Infinity;
  }
}
