/** Runs the benchmarks named on the command line. */
import { parseArgs } from "node:util";
import { benchAntiEntropy } from "./anti-entropy.ts";
import { benchArchive } from "./archive.ts";
import { benchAudit } from "./audit.ts";
import { benchColdLatency } from "./cold-latency.ts";
import { benchColdGrowth, benchColdVectors } from "./cold-growth.ts";
import { benchCold } from "./cold.ts";
import { renderCostsPage } from "./costs-page.ts";
import { benchEmbedding } from "./embedding.ts";
import { benchFaults } from "./faults.ts";
import { benchFootprint } from "./footprint.ts";
import { benchHotIndex } from "./hot-index.ts";
import { benchIngest } from "./ingest.ts";
import { benchPolicy } from "./policy.ts";
import { benchPublishing } from "./publishing.ts";
import { renderPage } from "./report.ts";
import { benchReplication } from "./replication.ts";
import { benchTiers } from "./tiers.ts";
import { benchVisible } from "./visible.ts";
import { benchWarming } from "./warming.ts";

const BENCHMARKS: Readonly<Record<string, () => Promise<void>>> = {
  "hot-index": benchHotIndex,
  embedding: benchEmbedding,
  cold: benchCold,
  "cold-latency": benchColdLatency,
  "cold-growth": benchColdGrowth,
  "cold-vectors": benchColdVectors,
  footprint: benchFootprint,
  tiers: benchTiers,
  visible: benchVisible,
  publish: benchPublishing,
  replication: benchReplication,
  faults: benchFaults,
  ingest: benchIngest,
  warming: benchWarming,
  policy: benchPolicy,
  audit: benchAudit,
  archive: benchArchive,
  "anti-entropy": benchAntiEntropy,
  page: () => {
    renderPage();
    renderCostsPage();
    return Promise.resolve();
  },
};

const USAGE = `Usage: npm run bench [-- NAME…]

  hot-index   the in-memory index beside usearch: recall, latency, build, memory
  embedding   the learned embedding: training, relevance (KATTEGAT_BENCH_LAW, KATTEGAT_BENCH_QA name the files)
  cold        the cold index at full size: build, recall, bytes, CPU (KATTEGAT_BENCH_LAW names the file)
  cold-latency  the cold tier in workerd with an object store's latency (KATTEGAT_BENCH_LAW names the file)
  cold-growth   the cold index's dense half at up to ten million clustered vectors: build, memory, recall, bytes
                (KATTEGAT_BENCH_SIZES=COUNTxDIMENSIONS,… names others, KATTEGAT_BENCH_FOLDER a disk with 8 GB)
  cold-vectors  the same for a .npy, .fvecs or NDJSON file (KATTEGAT_BENCH_VECTORS, queries in KATTEGAT_BENCH_VECTOR_QUERIES)
  footprint   start times, resident memory of the idle network
  tiers       latency per tier through the edge, requests a second
  visible     write to visible, per tier
  publish     changes and deletions of cold documents, until every edge shows them
  replication  how far sites are behind at 500 changes a second, how fast they catch up (KATTEGAT_BENCH_SECONDS)
  faults      100,000 changes while processes are killed (KATTEGAT_BENCH_CHANGES, KATTEGAT_BENCH_SEED)
  ingest      a real corpus from file to committed (KATTEGAT_BENCH_LAW names the file)
  warming     warming and eviction beside LRU on a replayed query log (KATTEGAT_BENCH_QUERY_LOG names one)
  policy      decisions of the residency policy a second, beside a naive way
  audit       an audit of 100,000 documents over all sites (KATTEGAT_BENCH_DOCUMENTS names another number)
  archive     documents a second into the archive's bucket
  anti-entropy  faults planted in a regional's store: found, bytes exchanged (KATTEGAT_BENCH_DOCUMENTS names another number)
  page        only renders docs/benchmarks.md with docs/costs.md from the kept results

Without a name all run, in this order. Results go to bench/results/*.json and docs/benchmarks.md.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { help: { type: "boolean", short: "h" } },
});
const unknown = positionals.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (values.help === true) {
  console.log(USAGE);
} else if (unknown.length > 0) {
  console.error(
    `bench: expected one of ${Object.keys(BENCHMARKS).join(", ")}; got ${unknown.join(", ")}\n\n${USAGE}`,
  );
  process.exitCode = 2;
} else {
  const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
  for (const name of names) {
    console.log(`bench: ${name}`);
    await BENCHMARKS[name]?.();
  }
}
