/** Runs simulated histories: many seeds on all cores, or one of them with its trace. */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { FAULTS, optionsOf, type SimulationOptions } from "./faults.ts";
import { shrink } from "./shrink.ts";
import { simulate } from "./simulate.ts";
import { runSlices } from "./slices.ts";

/** What leads to a violation lies seldom further back. */
const TRACE_LINES = 80;
const PROGRESS_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "1000" },
    from: { type: "string", default: "1" },
    threads: { type: "string", default: String(availableParallelism()) },
    seed: { type: "string" },
    faults: { type: "string" },
    writes: { type: "string" },
    documents: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});

process.exitCode = (await (values.seed === undefined ? runMany() : runOne(Number(values.seed)))) ? 0 : 1;

async function runMany(): Promise<boolean> {
  const seeds = Number(values.seeds);
  const startedMs = performance.now();
  let done = 0;
  let toldMs = startedMs;
  const perSecond = (): string => ((done * 1_000) / (performance.now() - startedMs)).toFixed(1);
  const failed = await runSlices({
    from: Number(values.from),
    seeds,
    threads: Number(values.threads),
    ran() {
      done += 1;
      if (performance.now() - toldMs < PROGRESS_EVERY_MS) return;
      toldMs = performance.now();
      console.log(`${done} of ${seeds} seeds, ${perSecond()} a second`);
    },
  });
  if (failed === null) {
    console.log(`${done} seeds from ${values.from}: no violation; ${perSecond()} a second`);
    return true;
  }
  console.log(`seed ${failed.seed}: ${failed.violation ?? ""}`);
  console.log("looking for a smaller history …");
  await tell(await shrink(optionsOf(failed.seed)));
  return false;
}

async function runOne(seed: number): Promise<boolean> {
  const options = optionsOf(seed);
  const named = values.faults?.split(",").filter((name) => name !== "");
  const unknown = named?.find((name) => !FAULTS.some((fault) => fault === name));
  if (unknown !== undefined)
    throw new Error(`--faults: expected some of ${FAULTS.join(", ")}; got ${unknown}`);
  return tell({
    ...options,
    faults: named === undefined ? options.faults : FAULTS.filter((fault) => named.includes(fault)),
    writes: Number(values.writes ?? options.writes),
    documents: Number(values.documents ?? options.documents),
  });
}

/** Prints how the history ends, with what led there when it ends badly. */
async function tell(options: SimulationOptions): Promise<boolean> {
  const { violation, trace, steps } = await simulate(options, { isTraced: true });
  if (violation !== null || values.trace)
    console.log(trace.slice(values.trace ? 0 : -TRACE_LINES).join("\n"));
  const { seed, faults, writes, documents } = options;
  console.log(`${violation ?? "no violation"} (${steps} steps)`);
  console.log(
    `again: npm run simulate -- --seed ${seed} --faults ${faults.join(",")} --writes ${writes} --documents ${documents} --trace`,
  );
  return violation === null;
}
