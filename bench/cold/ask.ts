/** Questions put to a base one after another, with what each cost. */
import type { BaseAnswer, ColdBase } from "@kattegat/engine/cold/base/base-index.ts";
import { createBitmap, type Bitmap } from "@kattegat/engine/index/bitmap.ts";
import type { Table } from "../report.ts";
import { summarize } from "../summary.ts";
import type { Reading, ReadingSession } from "./base-files.ts";
import type { Question } from "./law-corpus.ts";

export const TOP = 10;
/** The depth of each list for a page of ten, as the edge asks it. */
export const DEPTH = 100;

export interface Asked {
  readonly answer: BaseAnswer;
  readonly reading: Reading;
  readonly cpuMs: number;
}

export interface Asking {
  readonly base: ColdBase;
  readonly session: ReadingSession;
}

export async function askAll(
  asking: Asking,
  questions: readonly (Pick<Question, "lexical"> & { readonly dense: Float32Array | null })[],
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
      depth: DEPTH,
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

/** No document is hidden. */
export function nothingDead({ base }: Asking): { readonly name: string; readonly documents: Bitmap } {
  return { name: "none", documents: createBitmap(base.documents.documents) };
}

export function rowOf(
  name: string,
  asked: readonly Pick<Asked, "reading" | "cpuMs">[],
  found: number,
): Table["rows"][number] {
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  return [
    name,
    found,
    mean(asked.map(({ reading }) => reading.bytes)) / 1_024,
    Math.max(...asked.map(({ reading }) => reading.bytes)) / 1_024,
    mean(asked.map(({ reading }) => reading.reads)),
    Math.max(...asked.map(({ reading }) => reading.reads)),
    mean(asked.map(({ reading }) => reading.rounds)),
    summarize(asked.map(({ cpuMs }) => cpuMs)).p50,
    summarize(asked.map(({ cpuMs }) => cpuMs)).p99,
  ];
}

export const COLUMNS = [
  "lists read",
  "recall@10",
  "KiB a query",
  "most KiB",
  "reads",
  "most reads",
  "rounds",
  "CPU ms p50",
  "CPU ms p99",
];
