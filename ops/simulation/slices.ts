/** Many seeds on all cores. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { z } from "zod";

const seedRunSchema = z.object({ seed: z.int(), violation: z.string().nullable(), steps: z.int() });
/** How one seed ended. */
export type SeedRun = z.infer<typeof seedRunSchema>;

/** What a history makes lives for as long as it: with so much room most of it is gone before it is looked at. */
const YOUNG_GENERATION_MB = 64;

/** Resolves when every seed has run, or with the first that shows a violation. */
export async function runSlices(options: {
  readonly from: number;
  readonly seeds: number;
  readonly threads: number;
  readonly ran: (run: SeedRun) => void;
}): Promise<SeedRun | null> {
  const { from, seeds, threads, ran } = options;
  let failed: SeedRun | null = null;
  // Each thread takes the next seed, so that all of them end at the same time.
  const next = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  next[0] = from;
  const workers = Array.from(
    { length: threads },
    () =>
      new Worker(new URL("./slice-thread.ts", import.meta.url), {
        workerData: { until: from + seeds, next },
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      }),
  );
  const ended = workers.map(async (worker) => {
    worker.on("message", (message: unknown) => {
      const run = seedRunSchema.parse(message);
      if (failed !== null) return;
      ran(run);
      if (run.violation === null) return;
      failed = run;
      for (const other of workers) void other.terminate();
    });
    await once(worker, "exit");
  });
  await Promise.all(ended);
  return failed;
}
