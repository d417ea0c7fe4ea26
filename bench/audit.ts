/** An audit of a whole network, as the operator runs it. */
import { runAudit } from "./audit-run.ts";
import { send } from "./client.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { loadNote, machineName, publish } from "./report.ts";
import { level } from "./sites.ts";

// oxlint-disable-next-line node/no-process-env -- a benchmark's size is its caller's choice
const DOCUMENTS = Number(process.env["KATTEGAT_BENCH_DOCUMENTS"] ?? 100_000);
const TARGET_SECONDS = 60;
const BATCH = 1_000;
const RUNS = 3;
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
  await level(network);
}

export async function benchAudit(): Promise<void> {
  const network = await startNetwork({ sample: false });
  try {
    await fill(network);
    const rows = [];
    for (let run = 0; run < RUNS; run += 1) {
      const { seconds, mib, report } = await runAudit(network);
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
