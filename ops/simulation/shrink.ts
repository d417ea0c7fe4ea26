/** The search for a smaller history that still goes wrong. */
import type { SimulationOptions } from "./faults.ts";
import { simulate } from "./simulate.ts";
import type { Seams } from "./world.ts";

/** Resolves with options of which no fault, and no half of the writes, can be left out. */
export async function shrink(options: SimulationOptions, seams?: Seams): Promise<SimulationOptions> {
  let smallest = options;
  for (let isSmaller = true; isSmaller;) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest)) {
      const { violation } = await simulate(candidate, seams === undefined ? {} : { seams });
      if (violation === null) continue;
      smallest = candidate;
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

function smallerThan(options: SimulationOptions): readonly SimulationOptions[] {
  const { faults, writes, documents } = options;
  const fewer = faults.map((fault) => ({ ...options, faults: faults.filter((other) => other !== fault) }));
  const shorter = writes > 1 ? [{ ...options, writes: Math.floor(writes / 2) }] : [];
  const narrower = documents > 1 ? [{ ...options, documents: documents - 1 }] : [];
  return [...fewer, ...shorter, ...narrower];
}
