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

const USAGE = `
Runs simulated histories of replication with faults. Exit code 0 without a violation, 1 with one, 2 for bad usage.

  npm run simulate -- --seeds 10000 --from 1    many seeds on all cores; the first that goes wrong is made smaller
  npm run simulate -- --seed 36 --trace         one of them, with what happened

  --seeds N, --from N, --threads N              how many, from which on, on how many cores
  --seed N, --trace                             one seed, with its trace
  --faults A,B --writes N --documents N         what is varied of it, as a violation prints them
  --help                                        this
`;

const values = readOptions();
if (values === null || values.help) console.log(USAGE.trim());
if (values === null) process.exitCode = 2;
else if (!values.help)
  process.exitCode = (await (values.seed === undefined
    ? runMany(values)
    : runOne(values, Number(values.seed))))
    ? 0
    : 1;

type Values = NonNullable<ReturnType<typeof readOptions>>;

/** Null for options that there are not. */
function readOptions() {
  try {
    const { values: read } = parseArgs({
      options: {
        seeds: { type: "string", default: "1000" },
        from: { type: "string", default: "1" },
        threads: { type: "string", default: String(availableParallelism()) },
        seed: { type: "string" },
        faults: { type: "string" },
        writes: { type: "string" },
        documents: { type: "string" },
        trace: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    });
    return read;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    return null;
  }
}

async function runMany(values: Values): Promise<boolean> {
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
  await tell(await shrink(optionsOf(failed.seed)), values);
  return false;
}

async function runOne(values: Values, seed: number): Promise<boolean> {
  const options = optionsOf(seed);
  const named = values.faults?.split(",").filter((name) => name !== "");
  const unknown = named?.find((name) => !FAULTS.some((fault) => fault === name));
  if (unknown !== undefined)
    throw new Error(`--faults: expected some of ${FAULTS.join(", ")}; got ${unknown}`);
  const varied: SimulationOptions = {
    ...options,
    faults: named === undefined ? options.faults : FAULTS.filter((fault) => named.includes(fault)),
    writes: Number(values.writes ?? options.writes),
    documents: Number(values.documents ?? options.documents),
  };
  return tell(varied, values);
}

/** Prints how the history ends, with what led there when it ends badly. */
async function tell(options: SimulationOptions, { trace: isWhole }: Values): Promise<boolean> {
  const { violation, trace, steps } = await simulate(options, { isTraced: true });
  if (violation !== null || isWhole) console.log(trace.slice(isWhole ? 0 : -TRACE_LINES).join("\n"));
  const { seed, faults, writes, documents } = options;
  console.log(`${violation ?? "no violation"} (${steps} steps)`);
  console.log(
    `again: npm run simulate -- --seed ${seed} --faults ${faults.join(",")} --writes ${writes} --documents ${documents} --trace`,
  );
  return violation === null;
}
