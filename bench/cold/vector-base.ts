/** The dense half of a base, made of a file of vectors and searched. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { buildDense } from "@kattegat/engine/cold/base/dense/dense-builder.ts";
import { decodeDirectory } from "@kattegat/engine/cold/base/dense/dense-directory.ts";
import { openDense } from "@kattegat/engine/cold/base/dense/dense-index.ts";
import { denseHere } from "@kattegat/engine/cold/base/dense/dense-work.ts";
import {
  createSharedGridVectors,
  writeUnitVector,
  type GridVectors,
} from "@kattegat/engine/cold/base/dense/dense-vectors.ts";
import type { DenseIndex } from "@kattegat/engine/cold/base/parts.ts";
import { encodeRoot, ROOT_KIND } from "@kattegat/engine/cold/base/root.ts";
import { decodeSectionFile } from "@kattegat/engine/cold/base/section-file.ts";
import { createVolumeWriter } from "@kattegat/engine/cold/base/volume-writer.ts";
import { rootKey, volumeKey } from "@kattegat/engine/cold/manifest-base.ts";
import { startDenseThreads } from "@kattegat/replication/dense-threads.ts";
import { readScanner } from "@kattegat/replication/scanner.ts";
import type { Table } from "../report.ts";
import { DEPTH, rowOf as cellsOf, TOP } from "./ask.ts";
import { baseFiles, readingSessions, type Reading } from "./base-files.ts";
import { exactTop, rowOf, type ExactTop } from "./exact-top.ts";
import { recallsOf } from "./recall.ts";
import type { UnitRows } from "./unit-rows.ts";
import type { VectorFile } from "./vector-block.ts";

const KEY = "bases/vectors";
const BLOCK_ROWS = 4_096;
/** Null: as the reader chooses. */
const PROBES = [2, 4, 8, 16, 32, null] as const;

export interface BuiltVectors {
  readonly passages: number;
  readonly dimensions: number;
  readonly lists: number;
  /** Entries of lists, copies included, for each passage. */
  readonly entries: number;
  readonly readSeconds: number;
  readonly buildSeconds: number;
  readonly buildCpuSeconds: number;
  readonly peakMib: number;
  readonly bytes: number;
  readonly rootBytes: number;
  readonly residentBytes: number;
  /** Without a filter, under one that keeps a hundredth. */
  readonly expected: { readonly all: number; readonly hundredth: number };
}

/** Builds by the code that replication builds with; the peak is that of this process so far. */
export async function buildVectors(
  file: VectorFile & { readonly count: number },
  folder: string,
): Promise<BuiltVectors & { readonly order: Uint32Array }> {
  const { dimensions } = file;
  const started = performance.now();
  const vectors = await readGrid(file);
  const read = performance.now();
  const cpu = process.cpuUsage();
  const files = baseFiles(folder);
  const writer = createVolumeWriter((name, volume, bytes) =>
    files.put(volumeKey({ key: KEY }, name, volume), bytes),
  );
  const scanner = readScanner();
  const threads = startDenseThreads(vectors);
  const dense = await buildDense(vectors, {
    scanner,
    work: threads?.work ?? denseHere(vectors, scanner),
    putCodes: (volume, bytes) => files.put(volumeKey({ key: KEY }, "codes", volume), bytes),
    writer,
    progressed: (step, share) => {
      if (share === 0 || share === 1)
        console.log(`  ${step} ${share}: ${Math.round((performance.now() - read) / 1_000)} s`);
    },
  });
  const { order } = dense;
  const { sections, volumes: codeVolumes } = await dense.finish();
  const volumes = { ...(await writer.finish()), codes: codeVolumes };
  await threads?.stop();
  const root = encodeRoot({ model: "vectors", dimensions }, [sections]);
  await files.put(rootKey({ key: KEY }), root);
  const { user, system } = process.cpuUsage(cpu);
  const { lists, recall } = decodeDirectory(sections);
  const names = (["codes", "rows"] as const).flatMap((name) =>
    Array.from({ length: volumes[name] }, (_, volume) => volumeKey({ key: KEY }, name, volume)),
  );
  return {
    order,
    passages: vectors.count,
    dimensions,
    lists: lists.count,
    entries: lists.entries.reduce((sum, entries) => sum + entries, 0) / vectors.count,
    readSeconds: (read - started) / 1_000,
    buildSeconds: (performance.now() - read) / 1_000,
    buildCpuSeconds: (user + system) / 1e6,
    peakMib: Math.round(process.resourceUsage().maxRSS / 1_024),
    bytes: root.byteLength + names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0),
    rootBytes: root.byteLength,
    residentBytes: openDense(sections).residentBytes,
    expected: { all: recall[0]?.recall ?? 0, hundredth: recall.at(-1)?.recall ?? 0 },
  };
}

async function readGrid(file: VectorFile & { readonly count: number }): Promise<GridVectors> {
  const vectors = createSharedGridVectors(file.count, file.dimensions);
  for await (const block of file.blocks(BLOCK_ROWS))
    for (let row = 0; row < block.rows; row += 1)
      writeUnitVector(vectors, block.firstRow + row, rowOf(block, file.dimensions, row));
  return vectors;
}

/** Searches the base in the folder; one row of cells for each number of lists, as `COLUMNS` names them. */
export async function searchVectors(
  { file, queries }: UnitRows,
  { folder, order }: { readonly folder: string; readonly order: Uint32Array },
): Promise<Table["rows"]> {
  const index = openDense(decodeSectionFile(readFileSync(join(folder, rootKey({ key: KEY }))), ROOT_KIND));
  const session = readingSessions(folder, KEY);
  const truths = await exactTop(file, queries, TOP);
  const runs = [];
  for (const probes of PROBES)
    runs.push({ probes, asked: await askEach({ index, session }, queries, probes) });
  // All in one pass over the file: it may be larger than memory.
  const recalls = await recallsOf(
    file,
    runs.flatMap(() => queries),
    runs.flatMap(({ asked }) => asked.map(({ rows }) => rows.map((row) => order[row] ?? 0))),
    runs.flatMap((): readonly ExactTop[] => truths),
  );
  return runs.map(({ probes, asked }, run) => {
    const own = recalls.slice(run * queries.length, (run + 1) * queries.length);
    const recall = own.reduce((sum, each) => sum + each, 0) / own.length;
    return cellsOf(probes === null ? "as the reader chooses" : String(probes), asked, recall);
  });
}

interface AskedRows {
  readonly rows: readonly number[];
  readonly reading: Reading;
  readonly cpuMs: number;
}

async function askEach(
  { index, session }: { readonly index: DenseIndex; readonly session: ReturnType<typeof readingSessions> },
  queries: readonly Float32Array[],
  probes: number | null,
): Promise<AskedRows[]> {
  const asked: AskedRows[] = [];
  for (const query of queries) {
    const { read, reading } = session();
    const before = process.cpuUsage();
    const { hits } = await index.search(query, {
      wanted: DEPTH,
      admitted: null,
      groupOf: null,
      probes,
      read,
    });
    const { user, system } = process.cpuUsage(before);
    asked.push({ rows: hits.slice(0, TOP).map(({ row }) => row), reading, cpuMs: (user + system) / 1_000 });
  }
  return asked;
}
