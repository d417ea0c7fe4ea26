/** LanceDB over the same vectors, asked the same questions. */
import { mkdirSync } from "node:fs";
import type { Table } from "../report.ts";
import { summarize } from "../summary.ts";
import { TOP } from "./ask.ts";
import type { ExactTop } from "./exact-top.ts";
import { lanceContestant } from "./lance-contestant.ts";
import type { Corpus } from "./law-corpus.ts";

/** What LanceDB's documentation advises: the root of the number of rows. */
const partitionsFor = (rows: number): number => Math.max(1, Math.round(Math.sqrt(rows)));
const SETTINGS = [
  { nprobes: 12, refineFactor: 10, ef: null },
  { nprobes: 40, refineFactor: 10, ef: null },
  { nprobes: 160, refineFactor: 20, ef: null },
] as const;

export async function lanceTable(
  folder: string,
  { corpus, truths }: { readonly corpus: Corpus; readonly truths: readonly ExactTop[] },
): Promise<Table> {
  mkdirSync(folder, { recursive: true });
  const result = await lanceContestant(corpus.vectors, {
    kind: "ivfRq",
    partitions: partitionsFor(corpus.spool.vectors.count),
    queries: corpus.questions.map(({ dense }) => dense),
    truths: truths.map(({ scores }) => ({ scores: scores.slice(0, TOP) })),
    limit: TOP,
    settings: SETTINGS,
    folder,
  });
  return {
    title: `LanceDB, IVF_RQ, from the local disk: written in ${Math.round(result.writeSeconds)} s, built in ${Math.round(result.buildSeconds)} s, ${Math.round(result.bytes / 1e6)} MB`,
    columns: ["nprobes", "refine factor", "recall@10", "ms p50", "ms p99"],
    rows: result.measured.map(({ settings, recall, timesMs }) => [
      settings.nprobes,
      settings.refineFactor ?? "none",
      recall,
      summarize(timesMs).p50,
      summarize(timesMs).p99,
    ]),
  };
}
