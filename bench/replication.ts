/** How far sites are behind the log: at a steady rate of changes, and after they were cut off. */
import { setTimeout as sleep } from "node:timers/promises";
import { changesBehind, compareSequences } from "@kattegat/protocol/sequence.ts";
import { changeWriters, changesOf, writeSteadily, type ChangeWriter } from "./changes.ts";
import { search } from "./client.ts";
import { pidOf, startNetwork, type BenchNetwork } from "./network.ts";
import { loadNote, machineName, publish, type Table } from "./report.ts";
import { level, statusOf } from "./sites.ts";
import { summarize } from "./summary.ts";

/** Fewer for a quick look. */
// oxlint-disable-next-line node/no-process-env -- a benchmark's size is its caller's choice
const SECONDS = Number(process.env["KATTEGAT_BENCH_SECONDS"] ?? 60);
const RATE_PROMISED = 500;
interface Steady {
  readonly rate: number;
  /** Documents keep class and tier; otherwise each change draws both anew, so that most are a move with its own end in the log. */
  readonly inPlace: boolean;
}

/** The slower ones show what a slower machine holds. */
const STEADY: readonly Steady[] = [
  { rate: 100, inPlace: true },
  { rate: 200, inPlace: true },
  { rate: RATE_PROMISED, inPlace: true },
  { rate: RATE_PROMISED, inPlace: false },
];
const WRITERS = 4;
const BATCH = 25;
const DOCUMENTS = 20_000;
const OPTIONS = { writers: WRITERS, documents: DOCUMENTS, seed: 1 };
const TIERS = [
  { tier: "warm", targetMs: 1_000 },
  { tier: "cold", targetMs: 5_000 },
] as const;
/** A search that waits longer is late by twice the slower promise. */
const WAIT_MS_MAX = 10_000;
const CUT_OFF_CHANGES = SECONDS * RATE_PROMISED;
const CUT_OFF_TARGET = 5_000;

/** A process that stands still while changes are acknowledged, and the sites whose way back is timed. */
interface CutOff {
  readonly stopped: "replication" | "eu-fra";
  /** Of every document; null: a third in each of hot, warm, cold. */
  readonly tier: "warm" | "cold" | null;
  readonly sites: readonly string[];
}

const REGIONALS = ["eu-fra", "eu-arn"];
/** The edge that stores what is global; the other one would only pass it over. */
const EDGE = "edge-global";
const CUT_OFF: readonly CutOff[] = [
  { stopped: "replication", tier: "warm", sites: REGIONALS },
  { stopped: "replication", tier: "cold", sites: [EDGE] },
  { stopped: "replication", tier: null, sites: [...REGIONALS, EDGE] },
  { stopped: "eu-fra", tier: "warm", sites: ["eu-fra"] },
  { stopped: "eu-fra", tier: null, sites: ["eu-fra"] },
];

export async function benchReplication(): Promise<void> {
  const network = await startNetwork({ sample: false });
  try {
    const lags: Lag[] = [];
    for (const steady of STEADY) {
      console.log(`  ${steady.rate} changes a second for ${SECONDS} s, ${placeOf(steady)}`);
      lags.push(await steadyLag(network, steady));
      await level(network, { searched: true });
    }
    console.log("  the archive takes what it has not yet");
    const written = lags.reduce((sum, { changes }) => sum + changes, 0);
    const archive = await archiveLevel(network, written);
    const catchUp: Table["rows"] = [];
    for (const cutOff of CUT_OFF) {
      console.log(`  ${cutOff.stopped} stands still, tier ${cutOff.tier ?? "all"}`);
      catchUp.push(...(await caughtUp(network, cutOff)));
    }
    publish({
      name: "replication",
      title: "Replication",
      command: "npm run bench -- replication",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        `Steady: so many changes a second were due for ${SECONDS} s through the edge, from four writers in batches of ${BATCH}; a writer whose batch is acknowledged late sends the next one at once, so what was taken is less than what was asked for. They replace ${DOCUMENTS.toLocaleString("en-US")} documents of one passage, a third of each class, a third in each of hot, warm, cold: in place, or with class and tier drawn anew, so that eight of nine changes move copies between sites, and most of those end with a second change in the log. Beside it a caller asks each tier, one search after the other, with the sequence that was acknowledged last as \`min_sequence\`: the time is from that acknowledgement to the answer, the search itself included.`,
        `Cut off: replication, so every site, or one regional stands still (SIGSTOP) while ${CUT_OFF_CHANGES.toLocaleString("en-US")} changes of the class global are acknowledged, all of one tier or a third in each of hot, warm, cold; the time is from SIGCONT until the site's watermark, as the primary tells it, is there. Only sites that store copies of that class and tier are shown, of "all" a third of the changes each. A regional that comes back alone has the others' work behind it. All tables come from one machine that runs the writers and every site; the archive takes its copies meanwhile, by processes of lower priority, and is waited for after the first table only.`,
        loadNote(),
      ],
      tables: [
        {
          title: "Behind the log under steady changes",
          columns: LAG,
          rows: lags.flatMap(({ rows }) => rows),
        },
        archive,
        { title: "After a site was cut off", columns: CATCH_UP, rows: catchUp },
      ],
    });
  } finally {
    await network.stop();
  }
}

const CATCH_UP = ["stood still", "site", "tier", "changes", "s", "changes/s", "target changes/s"];

interface Lag {
  readonly changes: number;
  readonly rows: Table["rows"];
}

const LAG = [
  "documents",
  "asked changes/s",
  "taken changes/s",
  "in the log/s",
  "acknowledged p50 ms",
  "p99 ms",
  "tier",
  "searches",
  "behind p50 ms",
  "p99 ms",
  "max ms",
  "late",
  "target p99 ms",
];

async function steadyLag(network: BenchNetwork, { rate, inPlace }: Steady): Promise<Lag> {
  const writers = changeWriters(network, { ...OPTIONS, inPlace });
  const { sequence: before } = await statusOf(network);
  const startedMs = performance.now();
  const pace = {
    batch: BATCH,
    everyMs: (1_000 * BATCH * WRITERS) / rate,
    endsAt: startedMs + SECONDS * 1_000,
  };
  // Writers that are behind write on until they have written all; searches go on beside them.
  const writing = new AbortController();
  const samplers = TIERS.map(({ tier }) => sampleLag(network, { tier, writers, writing: writing.signal }));
  const acknowledged = await Promise.all(writers.map((writer) => writeSteadily(writer, pace))).finally(() =>
    writing.abort(),
  );
  const changes = changesOf(writers);
  const seconds = (performance.now() - startedMs) / 1_000;
  const { sequence: after } = await statusOf(network);
  const logged = changesBehind(after, before) / seconds;
  const acknowledgedIn = summarize(acknowledged.flat());
  const rows: Table["rows"] = [];
  for (const [at, { tier, targetMs }] of TIERS.entries()) {
    const { times, late } = (await samplers[at]) ?? { times: [], late: 0 };
    const { count, p50, p99, max } = summarize(times);
    const { p50: ackP50, p99: ackP99 } = acknowledgedIn;
    const place = placeOf({ inPlace });
    const rates = [place, rate, changes / seconds, logged];
    rows.push([...rates, ackP50, ackP99, tier, count, p50, p99, max, late, targetMs]);
  }
  return { changes, rows };
}

function placeOf({ inPlace }: Pick<Steady, "inPlace">): string {
  return inPlace ? "in place" : "moved";
}

/** No search waits for the archive, so it may be behind; this says how far. */
async function archiveLevel(network: BenchNetwork, changes: number): Promise<Table> {
  const started = performance.now();
  const rows = (await level(network))
    .filter(({ kind }) => kind === "archive")
    .map(({ site, atMs }) => [site, changes, (atMs - started) / 1_000]);
  return { title: "The archive", columns: ["site", "changes of these runs", "s behind their end"], rows };
}

async function sampleLag(
  network: BenchNetwork,
  {
    tier,
    writers,
    writing,
  }: { readonly tier: string; readonly writers: readonly ChangeWriter[]; readonly writing: AbortSignal },
): Promise<{ readonly times: readonly number[]; readonly late: number }> {
  const times: number[] = [];
  let late = 0;
  let asked = "0";
  while (!writing.aborted) {
    const last = writers
      .map(({ sequence }) => sequence)
      .reduce((a, b) => (compareSequences(a, b) > 0 ? a : b));
    if (last === asked) {
      await sleep(1);
      continue;
    }
    asked = last;
    const started = performance.now();
    const { tiers } = await search(network, {
      query: "klage",
      tiers: [tier],
      min_sequence: last,
      timeout_ms: WAIT_MS_MAX,
    });
    times.push(performance.now() - started);
    if (tiers.some(({ status }) => status !== "ok" && status !== "not_asked")) late += 1;
  }
  return { times, late };
}

async function caughtUp(network: BenchNetwork, { stopped, tier, sites }: CutOff): Promise<Table["rows"]> {
  const options = { ...OPTIONS, residency: "global", ...(tier === null ? {} : { tier }) };
  const writers = changeWriters(network, options);
  await level(network, { searched: true });
  const pid = pidOf(network, stopped);
  process.kill(pid, "SIGSTOP");
  try {
    await Promise.all(
      writers.map(async (writer) => {
        while (writer.changes < CUT_OFF_CHANGES / WRITERS) await writer.put(BATCH * WRITERS);
      }),
    );
    if (stopped !== "replication") await level(network, { without: stopped, searched: true });
  } finally {
    process.kill(pid, "SIGCONT");
  }
  const started = performance.now();
  const changes = changesOf(writers);
  return (await level(network, { searched: true })).flatMap(({ site, atMs }) => {
    const seconds = (atMs - started) / 1_000;
    return sites.includes(site)
      ? [[stopped, site, tier ?? "all", changes, seconds, changes / seconds, CUT_OFF_TARGET]]
      : [];
  });
}
