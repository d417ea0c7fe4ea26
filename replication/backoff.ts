/** The wait before the next attempt after failures in a row. */

/** Short enough that one lost packet costs nothing a reader of the lag would see. */
const FIRST_DELAY_MS_MAX = 100;
/** A target that comes back after hours is served again within this time. */
export const DELAY_MS_MAX = 15_000;

/**
 * Returns a random wait between zero and a ceiling that doubles with each failure ("full jitter": Brooker, AWS
 * Architecture Blog, 2015), so that streams that failed together do not come back together.
 */
export function backoffMs({
  failures,
  random,
}: {
  readonly failures: number;
  readonly random: () => number;
}): number {
  const doublings = Math.min(Math.max(0, failures - 1), 20);
  return Math.round(random() * Math.min(DELAY_MS_MAX, FIRST_DELAY_MS_MAX * 2 ** doublings));
}
