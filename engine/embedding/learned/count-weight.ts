/** Past this many occurrences a word's weight grows no more: a list of amounts is not about its unit. */
export const COUNT_MAX = 64;
/** Steps of 1/4096: far coarser than the last bits in which two machines' logarithms may differ. */
const STEPS = 4096;
/** Filled at load with numbers that are the same everywhere, because none lies near the middle between two steps. */
const WEIGHTS = Float64Array.from({ length: COUNT_MAX + 1 }, (_, count) =>
  count === 0 ? 0 : Math.round((1 + Math.log(count)) * STEPS) / STEPS,
);

/** Returns 1 + ln(count), rounded to a grid on which every machine agrees; Manning, Raghavan, Schütze, section 6.4.1. */
export function countWeight(count: number): number {
  return WEIGHTS[Math.min(count, COUNT_MAX)] ?? 0;
}
