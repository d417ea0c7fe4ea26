/** The cold index at full size: build, recall, bytes, CPU. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import type { BaseAnswer } from "@kattegat/engine/cold/base/base-index.ts";
import { buildBase, type BuiltBase } from "@kattegat/engine/cold/base/build-base.ts";
import { assignHere } from "@kattegat/engine/cold/base/dense/cluster-assignment.ts";
import { createBitmap, setBit } from "@kattegat/engine/index/bitmap.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import { keepOperations, type MeasuredOperations } from "./costs-page.ts";
import { askAll, type Asked, COLUMNS, DEPTH, recall, ROUNDING, rowOf, TOP, type Asking } from "./cold/ask.ts";
import { baseFiles, type BaseFiles } from "./cold/base-files.ts";
import { exactLexical, type LexicalTop } from "./cold/exact-lexical.ts";
import { exactTop, type ExactTop } from "./cold/exact-top.ts";
import { lanceTable } from "./cold/lance-table.ts";
import { corpusIn, DIMENSIONS, PROVISIONS, type Corpus } from "./cold/law-corpus.ts";
import { openVectorFile } from "./cold/vector-file.ts";
import { LAW_FILE, seededRandom } from "./corpus.ts";
import { machineName, publish, type Table } from "./report.ts";

/** Equal scores may swap; versions of a provision have equal vectors. */
const TIE = 1e-6;
const FILTER_SHARE = 0.01;
const PROBES = [4, 6, 8, 12, 16, 24, null] as const;

async function build(files: BaseFiles, { spool }: Corpus): Promise<BuiltBase & { readonly seconds: number }> {
  const started = performance.now();
  const scanner = readScanner();
  const built = await buildBase(spool, {
    key: "bases/law",
    model: "learned",
    assign: (vectors) => assignHere(vectors, scanner),
    put: files.put,
    deflate: deflateRawSync,
    progressed: (step, share) => {
      if (share === 0 || share === 1) console.log(`  building: ${step}`);
    },
  });
  return { ...built, seconds: (performance.now() - started) / 1_000 };
}

async function recallTable(asking: Asking, corpus: Corpus, truths: readonly ExactTop[]): Promise<Table> {
  const dead = { name: "none", documents: createBitmap(PROVISIONS) };
  const rows = [];
  for (const probes of PROBES) {
    const asked = await askAll(asking, corpus.questions, { mode: "dense", probes, dead });
    rows.push(
      rowOf(probes === null ? "as the reader chooses" : String(probes), asked, recall(asked, truths)),
    );
  }
  return {
    title: `Dense, ${corpus.questions.length} queries of eight words, against exact float`,
    columns: COLUMNS,
    rows,
  };
}

/** A filter that keeps one in a hundred, put as the set of all others being dead. */
async function filterTable(
  asking: Asking,
  corpus: Corpus,
  documents: BuiltBase["documents"],
): Promise<Table> {
  const random = seededRandom(2);
  const kept = Array.from({ length: corpus.spool.vectors.count }, () => random() < FILTER_SHARE);
  const dead = createBitmap(documents.length);
  for (const [number, { documentId }] of documents.entries())
    if (kept[Number(documentId)] !== true) setBit(dead, number);
  const { vectors } = corpus.spool;
  const truths = corpus.questions.map(({ dense }) => {
    const scores: number[] = [];
    const width = vectors.integers.length / vectors.count;
    for (let number = 0; number < vectors.count; number += 1) {
      if (kept[number] !== true) continue;
      let dot = 0;
      for (let at = 0; at < DIMENSIONS; at += 1)
        dot += (dense[at] ?? 0) * (vectors.integers[number * width + at] ?? 0);
      scores.push(dot * (vectors.scales[number] ?? 0));
    }
    return { scores: scores.toSorted((a, b) => b - a).slice(0, TOP) };
  });
  const asked = await askAll(asking, corpus.questions, {
    mode: "dense",
    probes: null,
    dead: { name: "others", documents: dead },
  });
  return {
    title: "Dense with a filter that keeps 1 %, chosen at random",
    columns: COLUMNS,
    rows: [rowOf("as the reader chooses", asked, recall(asked, truths))],
  };
}

async function lexicalTable(
  asking: Asking,
  corpus: Corpus,
  truths: readonly (readonly LexicalTop[])[],
): Promise<Table> {
  const dead = { name: "none", documents: createBitmap(PROVISIONS) };
  const asked = await askAll(asking, corpus.questions, { mode: "lexical", probes: null, dead });
  const same = asked.filter(({ answer }, at) => {
    const truth = truths[at]?.slice(0, TOP) ?? [];
    return answer.lexical.slice(0, TOP).every(({ score }, rank) => score === truth[rank]?.score);
  });
  return {
    title: "Lexical: share of queries whose ten scores are those of scoring every passage",
    columns: ["", "same ten", ...COLUMNS.slice(2)],
    rows: [rowOf("block maxima", asked, same.length / asked.length)],
  };
}

async function hybridTable(
  asking: Asking,
  corpus: Corpus,
  {
    dense,
    lexical,
  }: { readonly dense: readonly ExactTop[]; readonly lexical: readonly (readonly LexicalTop[])[] },
): Promise<{ readonly table: Table; readonly asked: readonly Asked[] }> {
  const dead = { name: "none", documents: createBitmap(PROVISIONS) };
  const asked = await askAll(asking, corpus.questions, { mode: "hybrid", probes: null, dead });
  let overlap = 0;
  for (const [at, { answer }] of asked.entries()) {
    const truth = fused(
      (dense[at]?.rows ?? []).map((row) => String(row)),
      (lexical[at] ?? []).map(({ number }) => String(number)),
    );
    const nameOf = ({ hit, document }: BaseAnswer["dense"][number]): string =>
      hit?.documentId ?? `nameless ${document}`;
    const found = fused(answer.dense.map(nameOf), answer.lexical.map(nameOf));
    const cut = truth.at(TOP - 1)?.score ?? 0;
    const scores = new Map(truth.map(({ id, score }) => [id, score]));
    overlap +=
      Math.min(TOP, found.slice(0, TOP).filter(({ id }) => (scores.get(id) ?? 0) >= cut - TIE).length) / TOP;
  }
  const table = {
    title: "Hybrid: overlap of the first ten with exact lists fused",
    columns: ["", "overlap@10", ...COLUMNS.slice(2)],
    rows: [rowOf("as the reader chooses", asked, overlap / asked.length)],
  };
  return { table, asked };
}

function fused(
  ...lists: readonly (readonly string[])[]
): readonly { readonly id: string; readonly score: number }[] {
  const scores = new Map<string, number>();
  for (const list of lists)
    for (const [rank, id] of list.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (61 + rank));
  return Array.from(scores, ([id, score]) => ({ id, score })).toSorted((a, b) => b.score - a.score);
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
  readonly built: BuiltBase & { readonly seconds: number };
  readonly peakMib: number;
  readonly sizes: ReturnType<BaseFiles["sizes"]>;
  readonly asking: Asking;
}): Table {
  const { passages } = built.base;
  const index = sizes.root + sizes.codes + sizes.rows + sizes.postings + sizes.columns;
  return {
    title: `Build of ${passages.toLocaleString("en-US")} provisions on one thread (targets: 720 s, 4,096 MiB, 1,434 bytes)`,
    columns: [
      "analyse and embed s",
      "build s",
      "peak resident MiB",
      "index bytes a passage",
      "texts bytes a passage",
      "resident MB in the Worker",
    ],
    rows: [
      [
        corpus.embedSeconds,
        built.seconds,
        Math.round(peakMib),
        Math.round(index / passages),
        Math.round(sizes.hits / passages),
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
    const files = baseFiles(join(folder, "store"));
    const built = await build(files, corpus);
    const peakMib = process.resourceUsage().maxRSS / 1_024;
    const sizes = files.sizes(built.base);
    const dense = await exactTop(
      await openVectorFile(corpus.vectors),
      corpus.questions.map((question) => question.dense),
      DEPTH,
    );
    const lexical = exactLexical(
      corpus.questions.map((question) => question.lexical),
      { count: built.base.passages, sparse: (number) => corpus.spool.sparse(number), limit: DEPTH },
    );
    const asking = files.open(built.base);
    const hybrid = await hybridTable(asking, corpus, { dense, lexical });
    keepOperations(operationsOf(corpus, { sizes, asked: hybrid.asked }));
    const result = {
      name: "cold",
      title: "The cold index at full size",
      command: "KATTEGAT_BENCH_LAW=danish-law.ndjson.zst npm run bench -- cold",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        "One process reads the base from files; reads are ranged reads, pieces that touch taken together, as the Worker takes them.",
        "Vectors are learned from the same provisions, 384 dimensions. Truth is an exact scan of the float vectors; the index holds them rounded to eight bits.",
        `A found row counts as right when its score is no more than ${ROUNDING} below the tenth true one: rounding moves scores by as much.`,
      ],
      tables: [
        buildTable({ corpus, built, peakMib, sizes, asking }),
        await recallTable(asking, corpus, dense),
        await filterTable(asking, corpus, built.documents),
        await lexicalTable(asking, corpus, lexical),
        hybrid.table,
      ],
    };
    // LanceDB may take longer than all before: what is measured is kept first.
    publish(result);
    const lance = await lanceTable(join(folder, "lance"), { corpus, truths: dense });
    publish({ ...result, tables: [...result.tables, lance] });
    corpus.remove();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
