/** How near the fused first page of a base comes to that of exact lists. */
import { byScore, fusedIds, type FusedId } from "../fused.ts";
import type { Table } from "../report.ts";
import { askAll, COLUMNS, DEPTH, nothingDead, rowOf, TOP, type Asked, type Asking } from "./ask.ts";
import type { LexicalTop } from "./exact-lexical.ts";
import { exactTop } from "./exact-top.ts";
import { gridFile } from "./grid-file.ts";
import type { Corpus } from "./law-corpus.ts";

/** Fused scores of equal ranks are sums of the same two numbers. */
const TIE = 1e-9;

/** The exact lists are those of the vectors that rest at every tier; what they give equal fused scores may swap. */
export async function hybridTable(
  asking: Asking,
  corpus: Corpus,
  lexical: readonly (readonly LexicalTop[])[],
): Promise<{ readonly table: Table; readonly asked: readonly Asked[] }> {
  const queries = corpus.questions.map(({ dense }) => dense);
  const dense = await exactTop(gridFile(corpus.spool.vectors), queries, DEPTH);
  const dead = nothingDead(asking);
  const asked = await askAll(asking, corpus.questions, { mode: "hybrid", probes: null, dead });
  let overlap = 0;
  for (const [at, { answer }] of asked.entries()) {
    const { rows = [], scores = [] } = dense[at] ?? {};
    const truth = fused(
      rows.map((row, rank) => ({ id: String(row), score: scores[rank] ?? 0 })),
      (lexical[at] ?? []).map(({ number, score }) => ({ id: String(number), score })),
    );
    const named = ({ hit, document, score }: (typeof answer.dense)[number]): FusedId => ({
      id: hit?.documentId ?? `\uffff${document}`,
      score,
    });
    const found = fused(answer.dense.map(named), answer.lexical.map(named)).slice(0, TOP);
    const page = truth.slice(0, TOP);
    const cut = page.at(-1)?.score ?? 0;
    const trueScores = new Map(truth.map(({ id, score }) => [id, score]));
    const right = found.filter(({ id }) => (trueScores.get(id) ?? 0) >= cut - TIE).length;
    overlap += page.length === 0 ? 1 : Math.min(page.length, right) / page.length;
  }
  const table = {
    title: "Hybrid: overlap of the first ten with exact lists fused",
    columns: ["", "overlap@10", ...COLUMNS.slice(2)],
    rows: [rowOf("as the reader chooses", asked, overlap / asked.length)],
  };
  return { table, asked };
}

function fused(dense: readonly FusedId[], lexical: readonly FusedId[]): readonly FusedId[] {
  const idsOf = (list: readonly FusedId[]): string[] => list.toSorted(byScore).map(({ id }) => id);
  return fusedIds(idsOf(dense), idsOf(lexical));
}
