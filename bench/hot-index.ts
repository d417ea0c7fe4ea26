/** The hot index beside usearch: recall, latency, build time, memory. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPassageIndex, type PassageIndex } from "@kattegat/engine/index/passage-index.ts";
import { createScanner } from "@kattegat/engine/vector/scan.ts";
import { Index, MetricKind, ScalarKind } from "usearch";
import { clusteredCorpus, hasLawFile, LAW_FILE, lawCorpus, type Corpus } from "./corpus.ts";
import { machineName, publish, type Table } from "./report.ts";
import { summarize } from "./summary.ts";

const COUNT = 50_000;
const DIMENSIONS = 384;
const QUERIES = 500;
const TOP = 10;
/** Enough of usearch's settings to find the first that reaches the recall asked for. */
const EXPANSIONS = [32, 64, 128, 512, 1_024, 2_048] as const;

/** One index under test: `find` gives row numbers, best first. */
interface Contestant {
  readonly name: string;
  readonly buildSeconds: number;
  readonly bytesPerPassage: number;
  find(query: Float32Array): number[];
}

function exactTop(
  corpus: Corpus,
  query: Float32Array,
): { readonly rows: Set<number>; readonly worst: number } {
  const rows = corpus.vectors.length / corpus.dimensions;
  const scored = new Float64Array(rows);
  for (let row = 0; row < rows; row += 1) scored[row] = score(corpus, query, row);
  const order = Uint32Array.from({ length: rows }, (_, row) => row).sort(
    (a, b) => (scored[b] ?? 0) - (scored[a] ?? 0),
  );
  const top = [...order.subarray(0, TOP)];
  return { rows: new Set(top), worst: scored[top.at(-1) ?? 0] ?? 0 };
}

function score(corpus: Corpus, query: Float32Array, row: number): number {
  let sum = 0;
  const from = row * corpus.dimensions;
  for (let at = 0; at < corpus.dimensions; at += 1)
    sum += (query[at] ?? 0) * (corpus.vectors[from + at] ?? 0);
  return sum;
}

function ownIndex(corpus: Corpus): Contestant {
  const wasm = join(import.meta.dirname, "..", "engine", "wasm", "scan.wasm");
  const scanner = createScanner(new WebAssembly.Module(readFileSync(wasm)));
  const index: PassageIndex = createPassageIndex({ dimensions: corpus.dimensions, scanner });
  const rows = corpus.vectors.length / corpus.dimensions;
  const started = performance.now();
  for (let row = 0; row < rows; row += 1) {
    const dense = corpus.vectors.subarray(row * corpus.dimensions, (row + 1) * corpus.dimensions);
    index.upsert([{ id: String(row), group: String(row), order: 1, dense, sparse: null, payload: {} }]);
  }
  const buildSeconds = (performance.now() - started) / 1_000;
  const bytes = Object.values(index.memoryBytes()).reduce((sum, part) => sum + part, 0);
  return {
    name: "Kattegat",
    buildSeconds,
    bytesPerPassage: bytes / rows,
    find: (query) =>
      index.searchDense(query, { limit: TOP, grouped: false }).map((point) => Number(point.id)),
  };
}

interface Measured {
  readonly contestant: Contestant;
  readonly recall: number;
  readonly p50: number;
  readonly p99: number;
}

/** Asks every contestant each query in turn, so that the machine's drift meets all alike. */
function measure(corpus: Corpus, contestants: readonly Contestant[]): Measured[] {
  const truths = corpus.queries.map((query) => exactTop(corpus, query));
  for (const query of corpus.queries.slice(0, 50)) for (const { find } of contestants) find(query);
  const times = contestants.map((): number[] => []);
  const found = contestants.map(() => 0);
  for (const [at, query] of corpus.queries.entries()) {
    const truth = truths[at];
    if (truth === undefined) throw new Error("a truth for each query");
    for (const [which, { find }] of contestants.entries()) {
      const started = performance.now();
      const rows = find(query);
      times[which]?.push(performance.now() - started);
      // A row that ties with the last of the true top is as right as it.
      const right = rows.filter(
        (row) => truth.rows.has(row) || score(corpus, query, row) >= truth.worst - 1e-6,
      ).length;
      found[which] = (found[which] ?? 0) + Math.min(right, TOP);
    }
  }
  return contestants.map((contestant, which) => ({
    contestant,
    recall: (found[which] ?? 0) / (corpus.queries.length * TOP),
    p50: summarize(times[which] ?? []).p50,
    p99: summarize(times[which] ?? []).p99,
  }));
}

function tableOf(corpus: Corpus, measured: readonly Measured[]): Table {
  const own = measured[0]?.p50 ?? Number.NaN;
  return {
    title: `${corpus.name}: ${(corpus.vectors.length / corpus.dimensions).toLocaleString("en-US")} × ${corpus.dimensions}, ${corpus.queries.length} queries, top ${TOP}, one thread`,
    columns: ["index", "recall@10", "p50 ms", "p99 ms", "p50 ÷ Kattegat's", "build s", "bytes a passage"],
    rows: measured.map(({ contestant, recall, p50, p99 }) => [
      contestant.name,
      recall,
      p50,
      p99,
      p50 / own,
      contestant.buildSeconds,
      Math.round(contestant.bytesPerPassage),
    ]),
  };
}

/** usearch keeps its search setting from construction, so the one graph is saved once and viewed with each. */
function usearchContestants(corpus: Corpus): Contestant[] {
  const contestants = [];
  for (const quantization of [ScalarKind.F32, ScalarKind.I8]) {
    const folder = mkdtempSync(join(tmpdir(), "kattegat-bench-"));
    const path = join(folder, "index");
    const settings = {
      metric: MetricKind.IP,
      dimensions: corpus.dimensions,
      quantization,
      connectivity: 16,
      expansion_add: 128,
      multi: false,
    };
    const built = new Index({ ...settings, expansion_search: 64 });
    const rows = corpus.vectors.length / corpus.dimensions;
    const started = performance.now();
    built.add(
      BigUint64Array.from({ length: rows }, (_, row) => BigInt(row)),
      corpus.vectors,
      1,
    );
    const buildSeconds = (performance.now() - started) / 1_000;
    built.save(path);
    const bytesPerPassage = statSync(path).size / rows;
    for (const expansion of EXPANSIONS) {
      const index = new Index({ ...settings, expansion_search: expansion });
      index.load(path);
      contestants.push({
        name: `usearch ${quantization}, expansion ${expansion}`,
        buildSeconds,
        bytesPerPassage,
        find: (query: Float32Array) => [...index.search(query, TOP, 1).keys].map(Number),
      });
    }
    rmSync(folder, { recursive: true });
  }
  return contestants;
}

export async function benchHotIndex(): Promise<void> {
  const size = { count: COUNT, dimensions: DIMENSIONS, queries: QUERIES };
  const corpora = [clusteredCorpus(size)];
  if (hasLawFile() && LAW_FILE !== null) corpora.push(await lawCorpus({ ...size, path: LAW_FILE }));
  const tables = corpora.map((corpus) =>
    tableOf(corpus, measure(corpus, [ownIndex(corpus), ...usearchContestants(corpus)])),
  );
  publish({
    name: "hot-index",
    title: "The hot index beside usearch",
    command: "npm run bench -- hot-index",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      "Every query is asked of each index in turn. Recall is against an exact float scan; a tie with the tenth counts as found.",
      "Bytes a passage: Kattegat's by its own accounting (codes, int8, floats, slots), usearch's by the size of its saved index.",
      ...(corpora.length === 1 ? ["Danish law was left out: KATTEGAT_BENCH_LAW names no file."] : []),
    ],
    tables,
  });
}
