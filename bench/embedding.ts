/** The embedding learned from the corpus: what training costs, how well it ranks. */
import { createReadStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { constants, createZstdDecompress } from "node:zlib";
import { createHashedEmbedder } from "@kattegat/engine/embedding/hashed.ts";
import type { ResidentLearnedEmbedder } from "@kattegat/engine/embedding/learned/embedder.ts";
import type { Language } from "@kattegat/engine/text/analyzer.ts";
import { openResidentEmbedder } from "@kattegat/primary-dk/embedding/artefact-files.ts";
import { trainToFolder } from "@kattegat/primary-dk/embedding/train-to-folder.ts";
import { z } from "zod";
import { hasLawFile, LAW_FILE, lawProvisions } from "./corpus.ts";
import { type Act, type JudgedTask, lawTasks, policyTask } from "./judged.ts";
import { createRelevanceMeter } from "./relevance.ts";
import { machineName, publish, type Table } from "./report.ts";

/** Path of PolicyQA's development file in SQuAD's layout; without it the English task is left out. */
const QA_FILE = process.env["KATTEGAT_BENCH_QA"] ?? null;
const DIMENSIONS = 384;
const QUERIES = 500;
/** Whole acts, so many apart that few are versions of each other: some 40,000 provisions to choose from. */
const ACT_STRIDE = 15;
const TIMED_TEXTS = 20_000;

const actSchema = z.object({
  id: z.string(),
  title: z.string(),
  provisions: z.array(z.object({ text: z.string() })),
});

async function sampledActs(path: string): Promise<Act[]> {
  const acts: Act[] = [];
  let seen = 0;
  const unzip = createZstdDecompress({ params: { [constants.ZSTD_d_windowLogMax]: 27 } });
  for await (const line of createInterface({ input: createReadStream(path).pipe(unzip) })) {
    seen += 1;
    if (seen % ACT_STRIDE !== 0) continue;
    const { id, title, provisions } = actSchema.parse(JSON.parse(line));
    acts.push({ id, title, texts: provisions.map(({ text }) => text) });
  }
  return acts;
}

async function* trainingTexts(lawFile: string, policy: JudgedTask | null): AsyncGenerator<string> {
  yield* lawProvisions(lawFile);
  for (const { text } of policy?.passages ?? []) yield text;
}

/** Trains, opens what was written; the table says what both cost. */
async function train(
  lawFile: string,
  policy: JudgedTask | null,
): Promise<{ readonly embedder: ResidentLearnedEmbedder; readonly table: Table }> {
  const folder = mkdtempSync(join(tmpdir(), "kattegat-bench-"));
  const cpu = process.cpuUsage();
  const started = performance.now();
  let passages = 0;
  let words = 0;
  let rows = 0;
  const { model, headBytes, rowsBytes } = await trainToFolder(folder, {
    texts: () => trainingTexts(lawFile, policy),
    dimensions: DIMENSIONS,
    seed: 1,
    onProgress: (progress) => {
      console.log(`  ${JSON.stringify(progress)}, ${Math.round((performance.now() - started) / 1_000)} s`);
      if (progress.step === "words") ({ passages, words } = progress);
      if (progress.step === "rows") rows = progress.words;
    },
  });
  const wallSeconds = (performance.now() - started) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const memoryMib = process.resourceUsage().maxRSS / 1_024;
  const embedder = await openResidentEmbedder(folder, model);
  rmSync(folder, { recursive: true });
  return {
    embedder,
    table: {
      title: `Training ${model} on one thread`,
      columns: [
        "passages",
        "words of three passages",
        "words with a row",
        "wall s",
        "CPU s",
        "peak resident MiB",
        "head MB",
        "rows MB",
        "embedded passages a CPU second",
      ],
      rows: [
        [
          passages,
          words,
          rows,
          wallSeconds,
          (user + system) / 1e6,
          Math.round(memoryMib),
          headBytes / 1e6,
          rowsBytes / 1e6,
          Math.round(await embeddedPerSecond(lawFile, embedder)),
        ],
      ],
    },
  };
}

async function embeddedPerSecond(lawFile: string, embedder: ResidentLearnedEmbedder): Promise<number> {
  const texts: string[] = [];
  for await (const text of lawProvisions(lawFile)) {
    texts.push(text);
    if (texts.length === 2 * TIMED_TEXTS) break;
  }
  for (const text of texts.slice(0, TIMED_TEXTS)) embedder.embedSync(text);
  const before = process.cpuUsage();
  for (const text of texts.slice(TIMED_TEXTS)) embedder.embedSync(text);
  return TIMED_TEXTS / (process.cpuUsage(before).user / 1e6);
}

function relevanceTables(
  tasks: readonly JudgedTask[],
  embedder: ResidentLearnedEmbedder,
  language: Language,
): Table[] {
  const hashed = createHashedEmbedder({ dimensions: DIMENSIONS });
  const embedders = [
    { name: "hashed", dimensions: DIMENSIONS, embedSync: hashed.embedSync },
    { name: "learned", dimensions: DIMENSIONS, embedSync: embedder.embedSync },
  ];
  const meter = createRelevanceMeter(tasks[0]?.passages ?? [], embedders, language);
  return tasks.map((task) => {
    console.log(`  ${task.name}`);
    return {
      title: `${task.name}: ${task.queries.length} queries, ${task.passages.length.toLocaleString("en-US")} passages`,
      columns: ["ranking", "nDCG@10", "recall@10", "reciprocal rank"],
      rows: meter
        .measure(task)
        .map(({ ranking, ndcg, recall, reciprocalRank }) => [ranking, ndcg, recall, reciprocalRank]),
    };
  });
}

export async function benchEmbedding(): Promise<void> {
  if (!hasLawFile() || LAW_FILE === null) {
    console.log("bench: embedding left out: KATTEGAT_BENCH_LAW names no file");
    return;
  }
  const policy = QA_FILE !== null && existsSync(QA_FILE) ? policyTask(QA_FILE) : null;
  const { embedder, table } = await train(LAW_FILE, policy);
  const tables = [table];
  if (policy !== null) tables.push(...relevanceTables([policy], embedder, "en"));
  tables.push(...relevanceTables(lawTasks(await sampledActs(LAW_FILE), QUERIES), embedder, "da"));
  publish({
    name: "embedding",
    title: "The embedding learned from the corpus",
    command: "npm run bench -- embedding",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      "Trained on all provisions of Danish law and PolicyQA's paragraphs together, without titles, questions or answers.",
      "“+ lexical” is weighted reciprocal rank fusion with BM25, as the network fuses. Answers of equal text count alike.",
      "The Danish tasks are known items, not judgements by people: excerpts favour exact words, titles and references less so.",
      ...(policy === null ? ["PolicyQA was left out: KATTEGAT_BENCH_QA names no file."] : []),
    ],
    tables,
  });
}
