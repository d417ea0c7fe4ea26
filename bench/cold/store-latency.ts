/** How long an object store lets a read wait, as a distribution fitted to published percentiles. */
import { normalRandom } from "@kattegat/engine/normal-random.ts";

export interface LatencyQuantilesMs {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Milliseconds are `shift` + exp(`mu` + `sigma`·z), z standard normal. */
export interface ShiftedLogNormal {
  readonly shift: number;
  readonly mu: number;
  readonly sigma: number;
}

/** Reads from S3 as https://turbopuffer.com/docs/architecture publishes them ("S3 GET latency", read 2026-11-25). */
export const OBJECT_STORE_MS: LatencyQuantilesMs = { p50: 63, p99: 78, p999: 118 };

/** Standard normal quantiles at 0.99 and 0.999. */
const Z99 = 2.326_347_874_040_841;
const Z999 = 3.090_232_306_167_813;
/** At 20 the tail is e^15 times as long as at 1: no store is there; halving it 80 times reaches the last bit. */
const SIGMA_MAX = 20;
const HALVINGS = 80;

/**
 * Returns the one shifted log-normal distribution with these three quantiles.
 *
 * Three equations, three unknowns: with m = exp(mu), p50 = shift + m, p99 − p50 = m·(e^(σ·z99) − 1) and
 * p99.9 − p50 = m·(e^(σ·z999) − 1). The ratio of the last two grows with σ alone, so σ is found by bisection. A plain
 * log-normal has two parameters: through p50 and p99 it would put p99.9 at 84 ms, where the store has 118.
 */
export function fitShiftedLogNormal({ p50, p99, p999 }: LatencyQuantilesMs): ShiftedLogNormal {
  const ratio = (p999 - p50) / (p99 - p50);
  if (!(p99 > p50 && ratio > Z999 / Z99))
    throw new RangeError(
      `expected p50 < p99 with a longer tail than a normal one, got ${p50}, ${p99}, ${p999}`,
    );
  let low = 0;
  let high = SIGMA_MAX;
  for (let step = 0; step < HALVINGS; step += 1) {
    const sigma = (low + high) / 2;
    if (Math.expm1(sigma * Z999) / Math.expm1(sigma * Z99) < ratio) low = sigma;
    else high = sigma;
  }
  const sigma = (low + high) / 2;
  const median = (p99 - p50) / Math.expm1(sigma * Z99);
  return { shift: p50 - median, mu: Math.log(median), sigma };
}

/** Returns a function that gives the wait of one read after another, in milliseconds. */
export function createStoreLatency(options: {
  readonly random: () => number;
  readonly quantilesMs?: LatencyQuantilesMs;
}): () => number {
  const { random } = options;
  const { shift, mu, sigma } = fitShiftedLogNormal(options.quantilesMs ?? OBJECT_STORE_MS);
  return () => shift + Math.exp(mu + sigma * normalRandom(random));
}
