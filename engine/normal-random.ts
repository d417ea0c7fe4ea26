/** Returns a number of the standard normal distribution, made of two in [0, 1): Box and Muller, "A Note on the Generation of Random Normal Deviates", 1958. */
export function normalRandom(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
