/** An audit of a whole network, as the operator runs it. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { networkStatusSchema } from "@kattegat/protocol/network-status.ts";
import { z } from "zod";
import { send } from "./client.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { loadNote, machineName, publish } from "./report.ts";

// oxlint-disable-next-line node/no-process-env -- a benchmark's size is its caller's choice
const DOCUMENTS = Number(process.env["KATTEGAT_BENCH_DOCUMENTS"] ?? 100_000);
const TARGET_SECONDS = 60;
const BATCH = 1_000;
const RUNS = 3;
/** Of ten documents: what is in their tier and class, so that every site has its share. */
const SHARES = ["hot", "warm", "warm", "warm", "cold", "cold", "cold", "cold", "cold", "cold"] as const;
const CLASSES = ["global", "eu", "dk-only"] as const;
const MEMORY_POLL_MS = 100;
const REPLICATED_MS_MAX = 900_000;

const reportSchema = z.object({
  documents: z.int(),
  pending: z.int(),
  findings: z.array(z.unknown()),
  sites: z.array(z.object({ classes: z.array(z.object({ copies: z.int() })) })),
});

function documentLine(number: number): string {
  const text = `Sag ${number}: klage over afgørelse ${number % 977} om havn, fiskeri og bygning ${number % 89}.`;
  const residency = CLASSES[number % CLASSES.length];
  const tier = SHARES[number % SHARES.length];
  return JSON.stringify({ id: `sag-${number}`, title: `Sag ${number}`, text, residency, tier });
}

async function fill(network: BenchNetwork): Promise<void> {
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
  }
  const endsAt = performance.now() + REPLICATED_MS_MAX;
  for (;;) {
    const { sites, sequence } = networkStatusSchema.parse(
      await (await send(network, "/v1/network", { method: "GET" })).json(),
    );
    if (sites.every(({ health, watermark }) => health === "not_running" || watermark === sequence)) return;
    if (performance.now() > endsAt) throw new Error("the sites are not level with the log");
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  }
}

interface Run {
  readonly seconds: number;
  readonly mib: number;
  readonly report: z.infer<typeof reportSchema>;
}

async function audit({ data }: BenchNetwork): Promise<Run> {
  const root = join(import.meta.dirname, "..");
  const started = performance.now();
  const child = spawn(
    process.execPath,
    ["--no-warnings", join(root, "ops", "kattegat.ts"), "residency", "audit", "--json"],
    {
      cwd: root,
      // oxlint-disable-next-line node/no-process-env -- the child needs the path and home of this process
      env: { ...process.env, KATTEGAT_DATA: data, KATTEGAT_CONFIG: join(data, "network.yaml") },
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  let kib = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${child.pid ?? 0}/status`, "utf8");
      kib = Math.max(kib, Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1] ?? 0));
    } catch {
      // It ended meanwhile.
    }
  }, MEMORY_POLL_MS);
  let text = "";
  for await (const part of child.stdout.setEncoding("utf8")) text += String(part);
  clearInterval(timer);
  const seconds = (performance.now() - started) / 1_000;
  return { seconds, mib: kib / 1_024, report: reportSchema.parse(JSON.parse(text)) };
}

export async function benchAudit(): Promise<void> {
  const network = await startNetwork({ sample: false });
  try {
    await fill(network);
    const rows = [];
    for (let run = 0; run < RUNS; run += 1) {
      const { seconds, mib, report } = await audit(network);
      const copies = report.sites
        .flatMap(({ classes }) => classes)
        .reduce((sum, each) => sum + each.copies, 0);
      const { documents, findings, pending } = report;
      rows.push([
        run + 1,
        documents,
        copies,
        findings.length,
        pending,
        seconds,
        documents / seconds,
        mib,
        TARGET_SECONDS,
      ]);
    }
    publish({
      name: "audit",
      title: "Audit of a whole network",
      command: "npm run bench -- audit",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        "`kattegat residency audit --json` as a process of its own, its start included; five sites and the ledger of the shipped network on the same machine, at rest. A tenth of the documents is hot, three tenths warm, the rest cold, a third of each class; one passage each.",
        "Copies are counted once for each document and site: the primary's record, a regional's copy, a zone's.",
        "The first run also makes the ledger's first checkpoint, over all entries of the ingest that ended just before.",
        loadNote(),
      ],
      tables: [
        {
          title: "Audits, one after the other",
          columns: [
            "run",
            "documents",
            "copies",
            "findings",
            "pending",
            "s",
            "documents/s",
            "peak MiB",
            "target s",
          ],
          rows,
        },
      ],
    });
  } finally {
    await network.stop();
  }
}
