/** Kills processes of a network under writes, and counts what that costs. */
import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";
import { readNetwork } from "@kattegat/ops/configured-network.ts";
import { EDGE, processNames, qdrantName } from "@kattegat/ops/local/process-names.ts";
import { readSettings } from "@kattegat/ops/settings.ts";
import { documentSchema } from "@kattegat/protocol/documents.ts";
import { runAudit } from "./audit-run.ts";
import { changeWriters, changesOf, writeSteadily, type ChangeWriter } from "./changes.ts";
import { send } from "./client.ts";
import { pidOf, startNetwork, type BenchNetwork } from "./network.ts";
import { loadNote, machineName, publish, type Table } from "./report.ts";
import { lagsIn, shownMs, targetsIn, type Lag, type LagTarget } from "./lags.ts";
import { level, statusOf } from "./sites.ts";
import { summarize } from "./summary.ts";

// oxlint-disable-next-line node/no-process-env -- a benchmark's size is its caller's choice
const CHANGES = Number(process.env["KATTEGAT_BENCH_CHANGES"] ?? 100_000);
// oxlint-disable-next-line node/no-process-env -- as above
const SEED = Number(process.env["KATTEGAT_BENCH_SEED"] ?? 1);
const DOCUMENTS = CHANGES / 5;
const WRITERS = 4;
const BATCH = 50;
/** One of so many requests is a deletion; a batch has many lines, so one in a thousand changes. */
const DELETE_EVERY = 5;
const SETTINGS = readSettings({});
const KILLED = processNames(readNetwork(SETTINGS).network, SETTINGS);
/** More often, and the supervisor takes a process for one that cannot start. */
const KILL_EVERY_MS = 5_000;
const FROZEN_SITE = "eu-arn";
const FROZEN = qdrantName(FROZEN_SITE);
const FROZEN_MS = 20_000;
const RECOVERED_LAG_MS = 2_000;
const RECOVERED_MS_MAX = 60_000;
/** After the faults: what the promise is about. */
const AFTER_MS = 60_000;
const AFTER_BATCH_EVERY_MS = 1_000;
const LAG_MS_MAX = 5_000;
const LAG_POLL_MS = 250;
const READERS = 8;
const FINDINGS_SHOWN = 20;

export async function benchFaults(): Promise<void> {
  const network = await startNetwork({ sample: false });
  try {
    const options = { writers: WRITERS, documents: DOCUMENTS, seed: SEED * 100 };
    const writers = changeWriters(network, options);
    const targets = targetsIn(await statusOf(network));
    const started = performance.now();
    const faults = await underFaults(network, writers, targets);
    const seconds = (performance.now() - started) / 1_000;
    console.log(`  ${CHANGES} changes are acknowledged, the faults have ended`);
    const after = await afterwards(network, writers, targets);
    await level(network);
    console.log("  every site is level; each document is read");
    const wrong = await compare(network, writers);
    const { report: audited } = await runAudit(network);
    const hidden = audited.findings.filter(({ detail }) => detail.includes(", hidden"));
    const found = audited.findings.filter((finding) => !hidden.includes(finding));
    for (const finding of found.slice(0, FINDINGS_SHOWN)) console.log(JSON.stringify(finding));
    const sum = (of: (writer: ChangeWriter) => number): number =>
      writers.reduce((total, writer) => total + of(writer), 0);
    const rows: Table["rows"] = [
      ["changes acknowledged", changesOf(writers), null],
      ["changes a second under faults", CHANGES / seconds, null],
      ["requests repeated by the writers", sum(({ repeated }) => repeated), null],
      ["documents lost", wrong.lost, 0],
      ["documents in another version than the last acknowledged", wrong.other, 0],
      ["deleted documents that are back", wrong.back, 0],
      ["findings of the audit over all sites, but hidden copies", found.length, 0],
      ["hidden copies whose bytes have not left their objects yet", hidden.length, null],
      [
        `p99 lag ms of the other regional while ${FROZEN} stood still ${FROZEN_MS / 1_000} s`,
        shownMs(faults.others),
        null,
      ],
      ["s until no site was 5 s behind any more", after.settledSeconds, 60],
      ["p99 lag ms of all sites from then on, to the end of the minute", shownMs(after.p99), LAG_MS_MAX],
    ];
    publish({
      name: "faults",
      title: "Faults",
      command: "npm run bench -- faults",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        `${WRITERS} writers replace and delete ${DOCUMENTS.toLocaleString("en-US")} documents of all classes in three tiers through the edge, and repeat what was not acknowledged. Every ${KILL_EVERY_MS / 1_000} s one process, chosen by seed ${SEED}, is killed with SIGKILL; the supervisor starts it again. Then nothing is killed any more and ${WRITERS * BATCH} changes a second go on for a minute.`,
        "Lag is what `GET /v1/network` says, four times a second; a site that is not well, whose lag nobody knows, or a question that is not answered counts as late. At the end each document is read through the edge, and `kattegat residency audit` compares every copy at every site.",
        loadNote(),
      ],
      tables: [
        { title: "What was killed", columns: ["process", "times"], rows: faults.kills },
        { title: "What came of it", columns: ["what", "measured", "target"], rows },
      ],
    });
  } finally {
    await network.stop();
  }
}

interface Faults {
  readonly kills: Table["rows"];
  readonly others: number;
}

async function underFaults(
  network: BenchNetwork,
  writers: readonly ChangeWriter[],
  targets: readonly LagTarget[],
): Promise<Faults> {
  const isOver = (): boolean => changesOf(writers) >= CHANGES;
  const random = seededRandom(SEED);
  const writing = Promise.all(
    writers.map(async (writer) => {
      for (let number = 1; !isOver(); number += 1)
        await (number % DELETE_EVERY === 0 ? writer.delete() : writer.put(BATCH));
    }),
  );
  writing.catch(() => {});
  const times = new Map<string, number>(KILLED.map((name) => [name, 0]));
  const others: number[] = [];
  const isHalf = (): boolean => changesOf(writers) >= CHANGES / 2;
  let hasFrozen = false;
  while (!isOver()) {
    if (isHalf() && !hasFrozen) {
      hasFrozen = true;
      await recovered(network, targets);
      others.push(...(await whileFrozen(network, targets)));
    }
    const name = KILLED[Math.floor(random() * KILLED.length)] ?? EDGE;
    if (kill(network, name)) times.set(name, (times.get(name) ?? 0) + 1);
    await sleep(KILL_EVERY_MS);
  }
  await writing;
  return { kills: [...times], others: others.length === 0 ? Number.NaN : summarize(others).p99 };
}

function kill(network: BenchNetwork, name: string): boolean {
  try {
    return process.kill(pidOf(network, name), "SIGKILL");
  } catch {
    // It is down already.
    return false;
  }
}

/** Resolves when no site is late from what was killed before: that would be taken for what the frozen one does to it. */
async function recovered(network: BenchNetwork, targets: readonly LagTarget[]): Promise<void> {
  const until = performance.now() + RECOVERED_MS_MAX;
  while (performance.now() < until) {
    const status = await statusOf(network).catch(() => null);
    if (lagsIn(status, targets).every(({ ms }) => ms < RECOVERED_LAG_MS)) return;
    await sleep(LAG_POLL_MS);
  }
}

/** Lags of the regional that is not concerned. */
async function whileFrozen(network: BenchNetwork, targets: readonly LagTarget[]): Promise<readonly number[]> {
  const pid = pidOf(network, FROZEN);
  process.kill(pid, "SIGSTOP");
  try {
    const lags = await lagsFor(network, { targets, forMs: FROZEN_MS });
    return lags.filter(({ kind, site }) => kind === "regional" && site !== FROZEN_SITE).map(({ ms }) => ms);
  } finally {
    process.kill(pid, "SIGCONT");
  }
}

interface TimedLag extends Lag {
  readonly atMs: number;
}

async function lagsFor(
  network: BenchNetwork,
  { targets, forMs }: { readonly targets: readonly LagTarget[]; readonly forMs: number },
): Promise<readonly TimedLag[]> {
  const lags: TimedLag[] = [];
  const endsAt = performance.now() + forMs;
  while (performance.now() < endsAt) {
    const status = await statusOf(network).catch(() => null);
    const atMs = performance.now();
    lags.push(...lagsIn(status, targets).map((lag) => ({ ...lag, atMs })));
    await sleep(LAG_POLL_MS);
  }
  return lags;
}

async function afterwards(
  network: BenchNetwork,
  writers: readonly ChangeWriter[],
  targets: readonly LagTarget[],
): Promise<{ readonly settledSeconds: number; readonly p99: number }> {
  const started = performance.now();
  const pace = { batch: BATCH, everyMs: AFTER_BATCH_EVERY_MS, endsAt: started + AFTER_MS };
  const writing = Promise.all(writers.map((writer) => writeSteadily(writer, pace)));
  const lags = await lagsFor(network, { targets, forMs: AFTER_MS });
  await writing;
  const lastLate = lags.findLast(({ ms }) => ms > LAG_MS_MAX)?.atMs ?? started;
  const settled = lags.filter(({ atMs }) => atMs > lastLate).map(({ ms }) => ms);
  return {
    settledSeconds: (lastLate - started) / 1_000,
    p99: settled.length === 0 ? Number.NaN : summarize(settled).p99,
  };
}

/** Reads each document that was ever written. */
async function compare(
  network: BenchNetwork,
  writers: readonly ChangeWriter[],
): Promise<{ readonly lost: number; readonly other: number; readonly back: number }> {
  const wrong = { lost: 0, other: 0, back: 0 };
  const left = writers.flatMap(({ promised }) => [...promised]);
  await Promise.all(
    Array.from({ length: READERS }, async () => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) {
        const [id, { text, isDeleted }] = next;
        const answer = await send(network, `/v1/documents/${id}`, { method: "GET" });
        const body: unknown = await answer.json();
        if (answer.status === 404) wrong.lost += isDeleted ? 0 : 1;
        else if (!answer.ok) throw new Error(`${id}: expected 200 or 404, got ${answer.status}`);
        else if (isDeleted) wrong.back += 1;
        // Not by the sequence that was acknowledged: of a write that had been done before, it may be that of a move since.
        else if (documentSchema.parse(body).text !== text) wrong.other += 1;
      }
    }),
  );
  return wrong;
}
