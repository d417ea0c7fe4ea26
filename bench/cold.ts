/** The cold index at full size: build, recall, bytes, CPU. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BaseAnswer, ColdBase } from "@kattegat/engine/cold/base/base-index.ts";
import { buildBase, type BuiltBase } from "@kattegat/engine/cold/base/build-base.ts";
import { assignHere } from "@kattegat/engine/cold/base/cluster-assignment.ts";
import { createBitmap, setBit, type Bitmap } from "@kattegat/engine/index/bitmap.ts";
import { queryVector, type SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import { decodeStatistics, StatisticsCounter } from "@kattegat/engine/lexical/statistics.ts";
import { queryTerms } from "@kattegat/engine/text/analyzer.ts";
import { openResidentEmbedder } from "@kattegat/primary-dk/embedding/artefact-files.ts";
import { trainToFolder } from "@kattegat/primary-dk/embedding/train-to-folder.ts";
import { createPassageSpool, type PassageSpool } from "@kattegat/replication/passage-spool.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import { baseFiles, type BaseFiles, type Reading } from "./cold/base-files.ts";
import { exactLexical, type LexicalTop } from "./cold/exact-lexical.ts";
import { exactTop, type ExactTop } from "./cold/exact-top.ts";
import { lawPassages } from "./cold/law-passages.ts";
import { writeNpy } from "./cold/npy.ts";
import { openVectorFile } from "./cold/vector-file.ts";
import { LAW_FILE, lawProvisions, seededRandom } from "./corpus.ts";
import { machineName, publish, type Table } from "./report.ts";
import { summarize } from "./summary.ts";

/** Fewer provisions for a quick look. */
const PROVISIONS = Number(process.env["KATTEGAT_BENCH_PROVISIONS"] ?? 608_095);
const DIMENSIONS = 384;
const QUERIES = 300;
const QUERY_WORDS = 8;
const TOP = 10;
/** The depth of each list for a page of ten, as the edge asks it. */
const DEPTH = 100;
/** Equal scores may swap; versions of a provision have equal vectors. */
const TIE = 1e-6;
const FILTER_SHARE = 0.01;
const PROBES = [4, 6, 8, 12, 16, 24, null] as const;

interface Question {
  readonly dense: Float32Array;
  readonly lexical: SparseVector;
}

interface Corpus {
  readonly spool: PassageSpool;
  /** The vectors before they were rounded, as a file. */
  readonly vectors: string;
  readonly questions: readonly Question[];
  readonly embedSeconds: number;
}

async function corpusIn(folder: string, lawFile: string): Promise<Corpus> {
  const trained = await trainToFolder(folder, {
    texts: () => someOf(lawProvisions(lawFile)),
    dimensions: DIMENSIONS,
    seed: 1,
    onProgress: ({ step }) => console.log(`  training: ${step}`),
  });
  const embedder = await openResidentEmbedder(folder, trained.model);
  const spool = createPassageSpool({ folder, name: "law", dimensions: DIMENSIONS, capacity: PROVISIONS });
  const counter = new StatisticsCounter();
  const random = seededRandom(1);
  const texts: string[] = [];
  const vectors = join(folder, "vectors.npy");
  const started = performance.now();
  async function* floats(): AsyncGenerator<Float32Array<ArrayBuffer>> {
    const embed = (text: string): Float32Array => embedder.embedSync(text);
    for await (const { passage, float } of lawPassages(lawFile, { embed, limit: PROVISIONS })) {
      spool.add(passage);
      counter.add(passage.sparse);
      if (random() < (QUERIES * 1.5) / PROVISIONS) {
        const query = wordsOf(passage.text, random);
        if (query !== null && texts.length < QUERIES) texts.push(query);
      }
      yield float;
    }
  }
  await writeNpy(vectors, DIMENSIONS, floats());
  const statistics = decodeStatistics(counter.encode("1"));
  const questions = texts.map((text) => ({
    dense: embedder.embedSync(text),
    lexical: queryVector(queryTerms(text), statistics),
  }));
  return { spool, vectors, questions, embedSeconds: (performance.now() - started) / 1_000 };
}

async function* someOf(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let count = 0;
  for await (const text of texts) {
    if (count === PROVISIONS) return;
    yield text;
    count += 1;
  }
}

/** Eight words in a row, from anywhere in the text. */
function wordsOf(text: string, random: () => number): string | null {
  const words = text.split(/\s+/);
  if (words.length < QUERY_WORDS) return null;
  const from = Math.floor(random() * (words.length - QUERY_WORDS));
  return words.slice(from, from + QUERY_WORDS).join(" ");
}

async function build(files: BaseFiles, { spool }: Corpus): Promise<BuiltBase & { readonly seconds: number }> {
  const started = performance.now();
  const scanner = readScanner();
  const built = await buildBase(spool, {
    key: "bases/law",
    model: "learned",
    assign: (vectors) => assignHere(vectors, scanner),
    put: files.put,
    progressed: (step, share) => {
      if (share === 0 || share === 1) console.log(`  building: ${step}`);
    },
  });
  return { ...built, seconds: (performance.now() - started) / 1_000 };
}

interface Asked {
  readonly answer: BaseAnswer;
  readonly reading: Reading;
  readonly cpuMs: number;
}

interface Asking {
  readonly base: ColdBase;
  session(): { readonly read: Parameters<ColdBase["search"]>[0]["read"]; readonly reading: Reading };
}

async function askAll(
  asking: Asking,
  questions: readonly Question[],
  options: {
    readonly mode: "dense" | "lexical" | "hybrid";
    readonly probes: number | null;
    readonly dead: { readonly name: string; readonly documents: Bitmap };
  },
): Promise<Asked[]> {
  const asked: Asked[] = [];
  for (const { dense, lexical } of questions) {
    const { read, reading } = asking.session();
    const before = process.cpuUsage();
    const answer = await asking.base.search({
      dense: options.mode === "lexical" ? null : dense,
      lexical: options.mode === "dense" ? null : lexical,
      filter: null,
      dead: options.dead,
      depth: options.mode === "hybrid" ? DEPTH : TOP,
      page: TOP,
      grouped: true,
      probes: options.probes,
      read,
    });
    const { user, system } = process.cpuUsage(before);
    asked.push({ answer, reading: { ...reading }, cpuMs: (user + system) / 1_000 });
  }
  return asked;
}

/** The share of the true top that was found; what ties with its last is as right. */
function recall(asked: readonly Asked[], truths: readonly Pick<ExactTop, "scores">[]): number {
  let right = 0;
  let wanted = 0;
  for (const [at, { answer }] of asked.entries()) {
    const scores = truths[at]?.scores.slice(0, TOP) ?? [];
    const worst = scores.at(-1) ?? Infinity;
    // Scores of rounded vectors: a row counts when its score reaches the last true one within the rounding.
    right += Math.min(
      scores.length,
      answer.dense.slice(0, TOP).filter(({ score }) => score >= worst - ROUNDING).length,
    );
    wanted += scores.length;
  }
  return right / wanted;
}

/** Half the standard deviation of what rounding to eight bits does to a score; below it two rows cannot be told apart. */
const ROUNDING = 2e-4;

function rowOf(name: string, asked: readonly Asked[], found: number): Table["rows"][number] {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return [
    name,
    found,
    mean(asked.map(({ reading }) => reading.bytes)) / 1_024,
    mean(asked.map(({ reading }) => reading.reads)),
    mean(asked.map(({ reading }) => reading.rounds)),
    summarize(asked.map(({ cpuMs }) => cpuMs)).p50,
    summarize(asked.map(({ cpuMs }) => cpuMs)).p99,
  ];
}

const COLUMNS = ["lists read", "recall@10", "KiB a query", "reads", "rounds", "CPU ms p50", "CPU ms p99"];

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
): Promise<Table> {
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
  return {
    title: "Hybrid: overlap of the first ten with exact lists fused",
    columns: ["", "overlap@10", ...COLUMNS.slice(2)],
    rows: [rowOf("as the reader chooses", asked, overlap / asked.length)],
  };
}

function fused(
  ...lists: readonly (readonly string[])[]
): readonly { readonly id: string; readonly score: number }[] {
  const scores = new Map<string, number>();
  for (const list of lists)
    for (const [rank, id] of list.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (61 + rank));
  return Array.from(scores, ([id, score]) => ({ id, score })).toSorted((a, b) => b.score - a.score);
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
    const { passages } = built.base;
    const dense = await exactTop(
      await openVectorFile(corpus.vectors),
      corpus.questions.map((question) => question.dense),
      DEPTH,
    );
    const lexical = exactLexical(
      corpus.questions.map((question) => question.lexical),
      { count: passages, sparse: (number) => corpus.spool.sparse(number), limit: DEPTH },
    );
    const asking = files.open(built.base);
    const index = sizes.root + sizes.codes + sizes.rows + sizes.postings + sizes.columns;
    publish({
      name: "cold",
      title: "The cold index at full size",
      command: "KATTEGAT_BENCH_LAW=danish-law.ndjson.zst npm run bench -- cold",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        "One process reads the base from files; reads are ranged reads with neighbours within 16 KiB taken together, as the Worker takes them.",
        "Vectors are learned from the same provisions, 384 dimensions. Truth is an exact scan of the float vectors; the index holds them rounded to eight bits.",
        `A found row counts as right when its score is no more than ${ROUNDING} below the tenth true one: rounding moves scores by as much.`,
      ],
      tables: [
        {
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
        },
        await recallTable(asking, corpus, dense),
        await filterTable(asking, corpus, built.documents),
        await lexicalTable(asking, corpus, lexical),
        await hybridTable(asking, corpus, { dense, lexical }),
      ],
    });
    corpus.spool.remove();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
