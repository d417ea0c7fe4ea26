/** Start times with the resident memory of the idle network. */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startNetwork } from "./network.ts";
import { machineName, publish } from "./report.ts";

/** Replication of the samples has ended and garbage collectors have run by then. */
const IDLE_MS = 20_000;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
  readonly mib: number;
}

/** Proportional set size shares a page among the processes that map it, so that the sum counts it once. */
function processOf(pid: number): Process | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\u0000", " ").trim();
    const pss = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"));
    return { pid, parent, command, mib: Number(pss?.[1] ?? 0) / 1_024 };
  } catch {
    return null; // it ended meanwhile
  }
}

function familyOf(root: number): Process[] {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processOf(Number(name)))
    .filter((each) => each !== null);
  const family = new Set([root]);
  for (let before = 0; before !== family.size;) {
    before = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => family.has(pid));
}

const NAMES: readonly (readonly [RegExp, string])[] = [
  [/postgres/, "Postgres"],
  [/workerd/, "workerd (both zones)"],
  [/embedded-qdrant/, "embedded Qdrant ×2"],
  [/embedded-s3/, "embedded S3"],
  [/regional/, "regional ×2"],
  [/primary-dk/, "primary-dk"],
  [/replication/, "replication"],
  [/edge/, "edge host"],
  [/start\.ts/, "supervisor"],
];

export async function benchFootprint(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), "kattegat-bench-"));
  const first = await startNetwork({ sample: true, data });
  await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
  const sums = new Map<string, number>();
  for (const { command, mib } of familyOf(first.pid)) {
    const name = NAMES.find(([pattern]) => pattern.test(command))?.[1] ?? "other";
    sums.set(name, (sums.get(name) ?? 0) + mib);
  }
  await first.stop();
  const second = await startNetwork({ sample: true, data });
  await second.stop();
  rmSync(data, { recursive: true, force: true });
  const total = [...sums.values()].reduce((sum, mib) => sum + mib, 0);
  publish({
    name: "footprint",
    title: "Start and idle memory",
    command: "npm run bench -- footprint",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      `Memory is the proportional set size ${IDLE_MS / 1_000} s after the first start, with the sample texts loaded.`,
    ],
    tables: [
      {
        title: "Start",
        columns: ["start", "seconds to ready", "target"],
        rows: [
          ["first, samples loaded", first.startSeconds, 60],
          ["second", second.startSeconds, 10],
        ],
      },
      {
        title: "Idle memory",
        columns: ["process", "MiB"],
        rows: [
          ...[...sums].toSorted((a, b) => b[1] - a[1]).map(([name, mib]) => [name, Math.round(mib)]),
          ["all (target 1,536)", Math.round(total)],
        ],
      },
    ],
  });
}
