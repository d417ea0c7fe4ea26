/** The thread that runs a slice of the seeds. */
import { parentPort, workerData } from "node:worker_threads";
import { z } from "zod";
import { optionsOf } from "./faults.ts";
import { simulate } from "./simulate.ts";
import type { SeedRun } from "./slices.ts";

// Lost messages are errors by the thousand, and nobody reads where they were made.
Error.stackTraceLimit = 0;

const { from, until, step } = z.object({ from: z.int(), until: z.int(), step: z.int() }).parse(workerData);
for (let seed = from; seed < until; seed += step) {
  const { violation, steps } = await simulate(optionsOf(seed));
  parentPort?.postMessage({ seed, violation, steps } satisfies SeedRun);
}
