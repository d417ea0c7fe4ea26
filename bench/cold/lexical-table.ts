/** What block maxima save, and that they change nothing. */
import { openLexical } from "@kattegat/engine/cold/base/lexical/lexical-index.ts";
import type { LexicalAnswer } from "@kattegat/engine/cold/base/lexical/lexical-search.ts";
import { ROOT_KIND } from "@kattegat/engine/cold/base/root.ts";
import { decodeSectionFile } from "@kattegat/engine/cold/base/section-file.ts";
import type { SparseVector } from "@kattegat/engine/lexical/bm25.ts";
import type { Table } from "../report.ts";
import { summarize } from "../summary.ts";
import { DEPTH, TOP } from "./ask.ts";
import type { OpenFiles, Reading } from "./base-files.ts";
import type { LexicalTop } from "./exact-lexical.ts";

/** Searches the postings alone, without hits. */
export async function lexicalTable(
  { root, session }: OpenFiles,
  queries: readonly SparseVector[],
  truths: readonly (readonly LexicalTop[])[],
): Promise<Table> {
  const index = openLexical(decodeSectionFile(root, ROOT_KIND));
  const asked: (LexicalAnswer & Reading & { readonly cpuMs: number })[] = [];
  let same = 0;
  for (const [at, query] of queries.entries()) {
    const { read, reading } = session();
    const before = process.cpuUsage();
    const answer = await index.search(query, { wanted: DEPTH, admitted: null, groupOf: null, read });
    const { user, system } = process.cpuUsage(before);
    const truth = truths[at]?.slice(0, TOP) ?? [];
    if (truth.every(({ score }, rank) => score === answer.hits[rank]?.score)) same += 1;
    asked.push({ ...answer, ...reading, cpuMs: (user + system) / 1_000 });
  }
  const mean = (of: (each: (typeof asked)[number]) => number): number =>
    asked.reduce((sum, each) => sum + of(each), 0) / asked.length;
  return {
    title: `Lexical: share of ${asked.length.toLocaleString("en-US")} queries whose ten scores are those of scoring every passage`,
    columns: [
      "same ten",
      "blocks of the query's words",
      "blocks decoded",
      "KiB a query",
      "reads",
      "share in one round",
      "CPU ms p50",
      "CPU ms p99",
    ],
    rows: [
      [
        same / asked.length,
        mean(({ blocksOfTerms }) => blocksOfTerms),
        mean(({ blocks }) => blocks),
        mean(({ bytes }) => bytes) / 1_024,
        mean(({ reads }) => reads),
        asked.filter(({ rounds }) => rounds <= 1).length / asked.length,
        summarize(asked.map(({ cpuMs }) => cpuMs)).p50,
        summarize(asked.map(({ cpuMs }) => cpuMs)).p99,
      ],
    ],
  };
}
