/** Tables about the dense half of a base. */
import type { BuiltBase } from "@kattegat/engine/cold/base/build-base.ts";
import { createBitmap, setBit } from "@kattegat/engine/index/bitmap.ts";
import type { Table } from "../report.ts";
import { askAll, COLUMNS, nothingDead, rowOf, TOP, type Asked, type Asking } from "./ask.ts";
import { exactTop, type ExactTop } from "./exact-top.ts";
import type { Corpus } from "./law-corpus.ts";
import { recallOf } from "./recall.ts";
import { openVectorFile } from "./vector-file.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

const FILTER_SHARE = 0.01;
const PROBES = [2, 4, 6, 8, 12, 16, 24, 32, null] as const;
const EXPECTED = "expected when built";

export async function recallTable(
  asking: Asking,
  corpus: Corpus,
  truths: readonly ExactTop[],
): Promise<Table> {
  const rows = [];
  for (const probes of PROBES) {
    const asked = await askAll(asking, corpus.questions, {
      mode: "dense",
      probes,
      dead: nothingDead(asking),
    });
    const name = probes === null ? "as the reader chooses" : String(probes);
    rows.push([
      ...rowOf(name, asked, await recallIn(corpus, asked, truths)),
      probes === null ? expectedOf(asked) : null,
    ]);
  }
  return {
    title: `Dense, ${corpus.questions.length} queries of eight words, against exact float`,
    columns: [...COLUMNS, EXPECTED],
    rows,
  };
}

/** A filter that keeps one in a hundred, put as the set of all others being dead. */
export async function filterTable(
  asking: Asking,
  corpus: Corpus,
  documents: BuiltBase["documents"],
): Promise<Table> {
  const random = seededRandom(2);
  const kept = Array.from({ length: corpus.spool.vectors.count }, () => random() < FILTER_SHARE);
  const dead = createBitmap(documents.length);
  for (const [number, { documentId }] of documents.entries())
    if (kept[Number(documentId)] !== true) setBit(dead, number);
  const truths = await exactTop(
    await openVectorFile(corpus.vectors),
    corpus.questions.map(({ dense }) => dense),
    TOP,
    (row) => kept[row] === true,
  );
  const asked = await askAll(asking, corpus.questions, {
    mode: "dense",
    probes: null,
    dead: { name: "others", documents: dead },
  });
  return {
    title: "Dense with a filter that keeps 1 %, chosen at random",
    columns: [...COLUMNS, EXPECTED],
    rows: [
      [...rowOf("as the reader chooses", asked, await recallIn(corpus, asked, truths)), expectedOf(asked)],
    ],
  };
}

async function recallIn(
  corpus: Corpus,
  asked: readonly Asked[],
  truths: readonly ExactTop[],
): Promise<number> {
  return await recallOf(
    await openVectorFile(corpus.vectors),
    corpus.questions.map(({ dense }) => dense),
    asked.map(({ answer }) => answer.dense.slice(0, TOP).map(({ hit }) => Number(hit?.documentId))),
    truths.map(({ scores }) => ({ scores: scores.slice(0, TOP) })),
  );
}

function expectedOf(asked: readonly Asked[]): number | null {
  const known = asked.flatMap(({ answer }) =>
    answer.expectedRecall === null ? [] : [answer.expectedRecall],
  );
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0) / known.length;
}
