/** A thread that runs seeds until there is none left. */
import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { optionsOf } from "./faults.ts";
import { simulate } from "./simulate.ts";
import type { SeedRun } from "./slices.ts";

// Lost messages are errors by the thousand, and nobody reads where they were made.
Error.stackTraceLimit = 0;

const { until, next } = z.object({ until: z.int(), next: z.instanceof(Int32Array) }).parse(workerData);
const taken = (): number => Atomics.add(next, 0, 1);
for (let seed = taken(); seed < until; seed = taken()) {
  const { violation, steps } = await simulate(optionsOf(seed));
  parentPort?.postMessage({ seed, violation, steps } satisfies SeedRun);
}
