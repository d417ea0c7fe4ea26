/** A real corpus from file to committed, then to every tier. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { networkStatusSchema, type NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import { passageVector } from "@kattegat/engine/lexical/bm25.ts";
import { analyze } from "@kattegat/engine/text/analyzer.ts";
import { send, search } from "./client.ts";
import { hasLawFile, LAW_FILE, lawProvisions } from "./corpus.ts";
import { startNetwork, type BenchNetwork } from "./network.ts";
import { machineName, publish } from "./report.ts";

const ROOT = join(import.meta.dirname, "..");
const PASSAGES = Number(process.env["KATTEGAT_BENCH_PASSAGES"] ?? 100_000);
const BASELINE_PASSAGES = 10_000;
/** Ten minutes: replication of all passages at a tenth of the rate asked for. */
const CATCH_UP_MS_MAX = 600_000;

/** What the engine alone does on one core with the same texts: the floor of any ingest. */
async function engineRate(path: string): Promise<number> {
  const embedder = createHashedEmbedder({ dimensions: 384 });
  const texts: string[] = [];
  for await (const text of lawProvisions(path)) {
    texts.push(text);
    if (texts.length === BASELINE_PASSAGES) break;
  }
  const started = performance.now();
  for (const text of texts) {
    passageVector(analyze(text, "da"));
    embedder.embedSync(text);
  }
  return texts.length / ((performance.now() - started) / 1_000);
}

async function ingest(network: BenchNetwork, path: string): Promise<number> {
  const started = performance.now();
  const mapping = join(ROOT, "ops", "mappings", "danish-law.yaml");
  const child = spawn(
    process.execPath,
    [
      join(ROOT, "ops", "kattegat.ts"),
      "ingest",
      path,
      "--mapping",
      mapping,
      "--limit-passages",
      String(PASSAGES),
      "--url",
      network.url,
      "--key-file",
      join(network.data, "keys", "admin.key"),
    ],
    {
      cwd: ROOT,
      env: { ...process.env, KATTEGAT_DATA: network.data },
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  const code = await new Promise<number | null>((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`kattegat ingest: expected exit code 0, got ${code}`);
  return (performance.now() - started) / 1_000;
}

async function statusOf(network: BenchNetwork): Promise<NetworkStatus> {
  const answer = await send(network, "/v1/network", { method: "GET" });
  return networkStatusSchema.parse(await answer.json());
}

async function caughtUp(
  network: BenchNetwork,
): Promise<{ readonly seconds: number; readonly status: NetworkStatus }> {
  const started = performance.now();
  for (;;) {
    const status = await statusOf(network);
    const elapsed = performance.now() - started;
    const copies = status.sites.filter(
      ({ kind, health }) => (kind === "regional" || kind === "edge") && health !== "not_running",
    );
    if (copies.every((site) => site.lag_changes === 0)) return { seconds: elapsed / 1_000, status };
    if (elapsed > CATCH_UP_MS_MAX) throw new Error("the copies did not catch up in ten minutes");
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

export async function benchIngest(): Promise<void> {
  if (!hasLawFile() || LAW_FILE === null) {
    console.log("bench: ingest needs KATTEGAT_BENCH_LAW=…/danish-law.ndjson.zst; left out");
    return;
  }
  const engine = await engineRate(LAW_FILE);
  const network = await startNetwork({ sample: false });
  try {
    const seconds = await ingest(network, LAW_FILE);
    const { seconds: behind, status } = await caughtUp(network);
    const passages = status.tiers.reduce((sum, tier) => sum + tier.passages, 0);
    const query = "frist for klage over afgørelse";
    const { hits, tiers } = await search(network, { query, limit: 20 });
    publish({
      name: "ingest",
      title: "Ingest of Danish law",
      command: "KATTEGAT_BENCH_LAW=danish-law.ndjson.zst npm run bench -- ingest",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        "Committed: acknowledged by the primary after commit, through the command, the edge and the primary, while replication copies on the same two cores.",
        `Afterwards “${query}” was answered by ${tiers.map(({ tier, site, status: state }) => `${tier} at ${site} (${state})`).join(", ")}.`,
      ],
      tables: [
        {
          title: "Rates",
          columns: ["what", "passages", "seconds", "passages a second", "÷ engine alone"],
          rows: [
            [
              "analyse, weigh, embed alone (one core)",
              BASELINE_PASSAGES,
              BASELINE_PASSAGES / engine,
              Math.round(engine),
              1,
            ],
            [
              "file to committed (target 2,000)",
              passages,
              seconds,
              Math.round(passages / seconds),
              passages / seconds / engine,
            ],
            [
              "file to every copy",
              passages,
              seconds + behind,
              Math.round(passages / (seconds + behind)),
              passages / (seconds + behind) / engine,
            ],
          ],
        },
        {
          title: "Tiers afterwards",
          columns: ["tier", "documents", "passages"],
          rows: status.tiers.map((tier) => [tier.tier, tier.documents, tier.passages]),
        },
        {
          title: `The first hits of “${query}”`,
          columns: ["rank", "tier", "site", "class", "title"],
          rows: hits
            .slice(0, 12)
            .map((hit, index) => [index + 1, hit.tier, hit.site, hit.residency, hit.title.slice(0, 70)]),
        },
      ],
    });
  } finally {
    await network.stop();
  }
}
