/** An audit of a whole network, as the operator runs it. */
import { runAudit, type AuditRun } from "./audit-run.ts";
import { send } from "./client.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { loadNote, machineName, publish, type Table } from "./report.ts";
import { level } from "./sites.ts";

// oxlint-disable-next-line node/no-process-env -- a benchmark's size is its caller's choice
const DOCUMENTS = Number(process.env["KATTEGAT_BENCH_DOCUMENTS"] ?? 100_000);
const TARGET_SECONDS = 60;
const BATCH = 1_000;
const TOLD_EVERY_BATCHES = 10;
const RUNS = 3;
const READING = "--read-archive";
/** Of ten documents: what is in their tier and class, so that every site has its share. */
const SHARES = ["hot", "warm", "warm", "warm", "cold", "cold", "cold", "cold", "cold", "cold"] as const;
const CLASSES = ["global", "eu", "dk-only"] as const;

function documentLine(number: number): string {
  const text = `Sag ${number}: klage over afgørelse ${number % 977} om havn, fiskeri og bygning ${number % 89}.`;
  const residency = CLASSES[number % CLASSES.length];
  const tier = SHARES[number % SHARES.length];
  return JSON.stringify({ id: `sag-${number}`, title: `Sag ${number}`, text, residency, tier });
}

async function fill(network: BenchNetwork): Promise<void> {
  const started = performance.now();
  for (let from = 0; from < DOCUMENTS; from += BATCH) {
    const lines = Array.from({ length: Math.min(BATCH, DOCUMENTS - from) }, (_, at) =>
      documentLine(from + at),
    );
    const body = `${lines.join("\n")}\n`;
    const answer = await send(network, "/v1/documents:batch", {
      method: "POST",
      body,
      type: "application/x-ndjson",
    });
    if (!answer.ok) throw new Error(`batch: expected 200, got ${answer.status}`);
    await answer.arrayBuffer();
    if ((from / BATCH + 1) % TOLD_EVERY_BATCHES === 0)
      console.log(`  ${from + lines.length} of ${DOCUMENTS} documents`);
  }
  const since = (): string => `${((performance.now() - started) / 1_000).toFixed(0)} s`;
  console.log(`  ${DOCUMENTS} documents are committed after ${since()}`);
  await level(network, { searched: true });
  console.log(`  the sites that are searched are level after ${since()}`);
  await level(network);
  console.log(`  the archive is level after ${since()}`);
}

export async function benchAudit(): Promise<void> {
  const network = await startNetwork({ sample: false });
  try {
    await fill(network);
    const runs: AuditRun[] = [];
    for (let run = 0; run < RUNS; run += 1) {
      const audited = await runAudit(network);
      console.log(`  run ${run + 1}: ${audited.seconds.toFixed(1)} s`);
      runs.push(audited);
    }
    const reading = await runAudit(network, ["--read-archive"]);
    console.log(`  with each object of the archive opened: ${reading.seconds.toFixed(1)} s`);
    publish({
      name: "audit",
      title: "Audit of a whole network",
      command: "npm run bench -- audit",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        "`kattegat residency audit --json` as a process of its own, its start included; every store of the shipped network on the same machine, the archive's bucket and the ledger among them, at rest. A tenth of the documents is hot, three tenths warm, the rest cold, a third of each class; one passage each.",
        "Copies are counted once for each document and site: the primary's record, a regional's copy, a zone's, an archive's object.",
        "The primary is asked first, the other stores then all at once; after them lines are sorted and compared. A store's seconds end when it has told everything.",
        "`--read-archive` opens each object of the archive beside the rest; the target is for audits without it.",
        "The first run also makes the ledger's checkpoint over what was recorded since the last one.",
        loadNote(),
      ],
      tables: [
        {
          title: "Audits, one after the other",
          columns: COLUMNS,
          rows: [...runs.map((run, at) => runRow(run, at + 1)), runRow(reading, READING)],
        },
        {
          title: "Seconds of each store",
          columns: ["store", ...runs.map((_, run) => `run ${run + 1}, s`), `${READING}, s`],
          rows: storeRows([...runs, reading]),
        },
      ],
    });
  } finally {
    await network.stop();
  }
}

const COLUMNS = [
  "run",
  "documents",
  "copies",
  "findings",
  "pending",
  "s",
  "documents/s",
  "peak MiB",
  "target s",
];

function runRow({ seconds, mib, report }: AuditRun, name: number | string): Table["rows"][number] {
  const { documents, findings, pending, sites } = report;
  const copies = sites.flatMap(({ classes }) => classes).reduce((sum, each) => sum + each.copies, 0);
  return [
    name,
    documents,
    copies,
    findings.length,
    pending,
    seconds,
    documents / seconds,
    mib,
    TARGET_SECONDS,
  ];
}

/** @throws {Error} when an audit has not seen a store that runs, as it then is none of the whole network. */
function storeRows(runs: readonly AuditRun[]): Table["rows"] {
  const sites = runs[0]?.report.sites ?? [];
  return sites.flatMap(({ site, kind, unseen }) => {
    if (kind === "standby") return [];
    const times = runs.map(({ report }) => report.sites.find((each) => each.site === site)?.took_ms ?? null);
    if (times.includes(null)) throw new Error(`an audit has not seen ${site}: ${unseen ?? "no time"}`);
    return [[site, ...times.map((ms) => (ms ?? 0) / 1_000)]];
  });
}
