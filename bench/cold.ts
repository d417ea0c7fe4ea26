/** The cold index at full size: build, recall, bytes, CPU. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { buildBase, type BuiltBase } from "@kattegat/engine/cold/base/build-base.ts";
import { startDenseThreads } from "@kattegat/replication/dense-threads.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import { keepOperations, renderCostsPage, type MeasuredOperations } from "./costs-page.ts";
import { type Asked, DEPTH, type Asking } from "./cold/ask.ts";
import { baseFiles, type BaseFiles } from "./cold/base-files.ts";
import { drawCurves } from "./cold/curve.ts";
import { filterTable, recallTable } from "./cold/dense-tables.ts";
import { exactLexical } from "./cold/exact-lexical.ts";
import { lexicalTable } from "./cold/lexical-table.ts";
import { exactTop } from "./cold/exact-top.ts";
import { hybridTable } from "./cold/hybrid-table.ts";
import { lanceTable } from "./cold/lance-table.ts";
import { corpusIn, DIMENSIONS, PROVISIONS, PROVISIONS_ALL, type Corpus } from "./cold/law-corpus.ts";
import { openVectorFile } from "./cold/vector-file.ts";
import { LAW_FILE } from "./corpus.ts";
import { type BenchResult, machineName, publish, type Table } from "./report.ts";

type Built = BuiltBase & { readonly seconds: number; readonly cpuSeconds: number; readonly threads: string };

/** As replication builds: on the threads that it starts, where there are two cores. */
async function build(files: BaseFiles, { spool }: Corpus): Promise<Built> {
  const started = performance.now();
  const cpu = process.cpuUsage();
  const threads = startDenseThreads(spool.vectors);
  const built = await buildBase(spool, {
    key: "bases/law",
    model: "learned",
    scanner: readScanner(),
    ...(threads === null ? {} : { dense: threads.work }),
    put: files.put,
    deflate: deflateRawSync,
    progressed: (step, share) => {
      if (share === 0 || share === 1)
        console.log(`  building: ${step}, ${Math.round((performance.now() - started) / 1_000)} s`);
    },
  });
  await threads?.stop();
  const { user, system } = process.cpuUsage(cpu);
  return {
    ...built,
    seconds: (performance.now() - started) / 1_000,
    cpuSeconds: (user + system) / 1e6,
    threads: threads === null ? "one thread" : "three threads",
  };
}

/** A month's changes: a twentieth of the documents, in batches of a few seconds. */
const CHANGED_SHARE = 0.05;
const BATCHES_A_MONTH = 100_000;
/** An isolate in each of 300 locations that asks for the manifest once a minute on average. */
const MANIFEST_READS_A_MONTH = 300 * 60 * 24 * 30;
/** Ten hits with snippets and metadata. */
const RESPONSE_BYTES = 8_000;

/** What one query costs where nothing is cached: an upper bound of a month's reads. */
function operationsOf(
  corpus: Corpus,
  { sizes, asked }: { readonly sizes: Readonly<Record<string, number>>; readonly asked: readonly Asked[] },
): MeasuredOperations {
  const mean = (of: (each: Asked) => number): number =>
    asked.reduce((sum, each) => sum + of(each), 0) / asked.length;
  const documents = corpus.spool.vectors.count;
  return {
    measured_at: new Date().toISOString(),
    corpus: {
      documents,
      dimensions: DIMENSIONS,
      textBytes: corpus.textBytes / documents,
      metadataBytes: corpus.metadataBytes / documents,
      sparseValues: corpus.sparseValues / documents,
      changesAMonth: documents * CHANGED_SHARE,
    },
    operations: {
      cpuMsAQuery: mean(({ cpuMs }) => cpuMs),
      storeReadsAQuery: mean(({ reading }) => reading.reads),
      otherStoreReadsAMonth: MANIFEST_READS_A_MONTH,
      scheduledRunsAMonth: 0,
      cpuMsAScheduledRun: 0,
      indexBytes: Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0),
      storeWritesAMonth: BATCHES_A_MONTH,
      responseBytes: RESPONSE_BYTES,
    },
  };
}

function buildTable({
  corpus,
  built,
  peakMib,
  sizes,
  asking,
}: {
  readonly corpus: Corpus;
  readonly built: Built;
  readonly peakMib: number;
  readonly sizes: ReturnType<BaseFiles["sizes"]>;
  readonly asking: Asking;
}): Table {
  const { passages } = built.base;
  const all = Object.values(sizes).reduce((sum, bytes) => sum + bytes, 0);
  const { hitPieces } = asking.base.documents;
  let texts = 0;
  for (let block = 0; block < hitPieces.count; block += 1) texts += hitPieces.at(block).length;
  return {
    title: `Build of ${passages.toLocaleString("en-US")} provisions on ${built.threads} (targets: 720 s, 4,096 MiB, 1,434 bytes)`,
    columns: [
      "analyse and embed s",
      "build s",
      "build CPU s",
      "peak resident MiB",
      "index bytes a passage",
      "texts bytes a passage",
      "resident MB in the Worker",
    ],
    rows: [
      [
        corpus.embedSeconds,
        built.seconds,
        built.cpuSeconds,
        Math.round(peakMib),
        Math.round((all - texts) / passages),
        Math.round(texts / passages),
        asking.base.residentBytes / 1e6,
      ],
    ],
  };
}

export async function benchCold(): Promise<void> {
  if (LAW_FILE === null) {
    console.log("  left out: KATTEGAT_BENCH_LAW names no file");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "kattegat-bench-"));
  try {
    const corpus = await corpusIn(folder, LAW_FILE);
    await measure(corpus, folder);
    corpus.remove();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Publishes after each step: what is measured is kept whatever comes after it. */
async function measure(corpus: Corpus, folder: string): Promise<void> {
  const tables: Table[] = [];
  const keep = (table: Table): void => {
    tables.push(table);
    publish(resultOf(tables));
  };
  const files = baseFiles(join(folder, "store"));
  const built = await build(files, corpus);
  const peakMib = process.resourceUsage().maxRSS / 1_024;
  const sizes = files.sizes(built.base);
  const asking = files.open(built.base);
  keep(buildTable({ corpus, built, peakMib, sizes, asking }));
  const queries = corpus.questions.map(({ dense }) => dense);
  const dense = await exactTop(await openVectorFile(corpus.vectors), queries, DEPTH);
  const recall = await recallTable(asking, corpus, dense);
  keep(recall);
  keep(await filterTable(asking, corpus, built.documents));
  const lexical = exactLexical(corpus.words, {
    count: built.base.passages,
    sparse: (number) => corpus.spool.sparse(number),
    limit: DEPTH,
  });
  const hybrid = await hybridTable(asking, corpus, lexical);
  keep(hybrid.table);
  keep(await lexicalTable(asking, corpus.words, lexical));
  if (PROVISIONS === PROVISIONS_ALL) {
    keepOperations(operationsOf(corpus, { sizes, asked: hybrid.asked }));
    renderCostsPage();
    drawCurves("cold-recall.svg", { title: recall.title, tables: [recall] });
  }
  keep(await lanceTable(join(folder, "lance"), { corpus, truths: dense }));
}

function resultOf(tables: readonly Table[]): BenchResult {
  return {
    name: "cold",
    title: "The cold index at full size",
    command: "KATTEGAT_BENCH_LAW=danish-law.ndjson.zst npm run bench -- cold",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      "One process reads the base from files; reads are ranged reads, near pieces taken together, as the Worker takes them, but without its limit of subrequests; hits are read as well.",
      "Vectors are learned from the same provisions, 384 dimensions. Truth is an exact scan of the float vectors; the index holds them rounded to eight bits. A found row is right when its own float score reaches the tenth true one.",
      "Rounds of a hybrid search are those of its two halves together, which run side by side.",
      "The hybrid truth fuses exact lists of the rounded vectors, which are those of every tier.",
      "“Expected when built” is what the builder measured with queries of its own making and an answer's `explain` tells.",
      "The limits of the reader were chosen on other queries over 20,000 and 100,000 provisions. The machine was shared with other work: times are upper bounds.",
      "The curve of the dense table: ![recall by bytes](cold-recall.svg)",
    ],
    tables: [...tables],
  };
}
