/** LanceDB on the local disk, as a peer of the cold index. */
import { readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { connect, Index, type Table as LanceTable } from "@lancedb/lancedb";
import type * as Arrow from "apache-arrow";
import { exactTop, type ExactTop } from "./exact-top.ts";
import { recallOf } from "./recall.ts";
import { openVectorFile } from "./vector-file.ts";
import type { VectorBlock, VectorFile } from "./vector-block.ts";

/** LanceDB requires its own Arrow as CommonJS; tables of the copy that `import` would give fail its check of schemas. */
const arrow: typeof Arrow = createRequire(import.meta.url)("apache-arrow");

/** The kinds of vector index that LanceDB offers beside a flat scan. */
export type LanceKind = "ivfPq" | "ivfRq" | "hnswSq";

/** One way to ask; LanceDB's own names. */
export interface LanceSettings {
  /** Lists that are looked at. */
  readonly nprobes: number;
  /** So many times the limit are scored again with float vectors; null for none. */
  readonly refineFactor: number | null;
  /** Candidates of the graph; null for LanceDB's default. */
  readonly ef: number | null;
}

export interface LanceOptions {
  readonly kind: LanceKind;
  readonly partitions: number;
  readonly queries: readonly Float32Array[];
  /** The true top of each query; null computes them. */
  readonly truths: readonly Pick<ExactTop, "scores">[] | null;
  readonly limit: number;
  readonly settings: readonly LanceSettings[];
  /** Where the table is written; must be empty, and stays. */
  readonly folder: string;
}

export interface LanceMeasured {
  readonly settings: LanceSettings;
  readonly recall: number;
  /** One search after another, in milliseconds. */
  readonly timesMs: readonly number[];
}

export interface LanceResult {
  readonly kind: LanceKind;
  readonly writeSeconds: number;
  readonly buildSeconds: number;
  /** Of the whole table, its float vectors included. */
  readonly bytes: number;
  readonly indexBytes: number;
  readonly measured: readonly LanceMeasured[];
}

/** 25 MB of vectors a batch at 384 dimensions: each becomes a fragment, and few large ones search faster. */
const BATCH_ROWS = 65_536;
/** A million rows took half an hour with a graph on two busy cores. */
const BUILD_SECONDS_MAX = 7_200;
/** Enough to open files and fill what LanceDB caches of an index. */
const WARM_UP_QUERIES = 30;

/** Writes the vectors, builds the index, then asks every query under each of the settings. */
export async function lanceContestant(vectorsFile: string, options: LanceOptions): Promise<LanceResult> {
  const { queries, limit } = options;
  const file = await openVectorFile(vectorsFile);
  const truths = options.truths ?? (await exactTop(file, queries, limit));
  const connection = await connect(options.folder);
  const writing = performance.now();
  const table = await writeTable(file, (name, batch) => connection.createTable(name, batch));
  const writeSeconds = (performance.now() - writing) / 1_000;
  const before = bytesOf(options.folder);
  const building = performance.now();
  await table.createIndex("vector", {
    config: indexOf(options),
    waitTimeoutSeconds: BUILD_SECONDS_MAX,
  });
  const buildSeconds = (performance.now() - building) / 1_000;
  const bytes = bytesOf(options.folder);
  const measured: LanceMeasured[] = [];
  for (const settings of options.settings) {
    for (const query of queries.slice(0, WARM_UP_QUERIES)) await search(table, query, limit, settings);
    const timesMs: number[] = [];
    const found: number[][] = [];
    for (const query of queries) {
      const started = performance.now();
      found.push(await search(table, query, limit, settings));
      timesMs.push(performance.now() - started);
    }
    measured.push({ settings, recall: await recallOf(file, queries, found, truths), timesMs });
  }
  table.close();
  connection.close();
  return { kind: options.kind, writeSeconds, buildSeconds, bytes, indexBytes: bytes - before, measured };
}

function indexOf({ kind, partitions }: LanceOptions): Index {
  const common = { distanceType: "cosine" as const, numPartitions: partitions };
  switch (kind) {
    case "ivfPq":
      return Index.ivfPq(common);
    case "ivfRq":
      return Index.ivfRq(common);
    case "hnswSq":
      return Index.hnswSq(common);
  }
}

async function search(
  table: LanceTable,
  query: Float32Array,
  limit: number,
  { nprobes, refineFactor, ef }: LanceSettings,
): Promise<number[]> {
  let asked = table.query().nearestTo(query).distanceType("cosine").nprobes(nprobes);
  if (refineFactor !== null) asked = asked.refineFactor(refineFactor);
  if (ef !== null) asked = asked.ef(ef);
  const rows: readonly unknown[] = await asked.select(["row", "_distance"]).limit(limit).toArray();
  return rows.map((row) =>
    typeof row === "object" && row !== null && "row" in row ? Number(row.row) : Number.NaN,
  );
}

async function writeTable(
  file: VectorFile,
  create: (name: string, batch: Arrow.Table) => Promise<LanceTable>,
): Promise<LanceTable> {
  let table: LanceTable | null = null;
  for await (const block of file.blocks(BATCH_ROWS)) {
    const batch = batchOf(block, file.dimensions);
    if (table === null) table = await create("vectors", batch);
    else await table.add(batch);
  }
  if (table === null) throw new RangeError(`expected vectors in ${file.path}, got none`);
  return table;
}

function batchOf({ firstRow, rows, vectors }: VectorBlock, dimensions: number): Arrow.Table {
  const list = new arrow.FixedSizeList(dimensions, new arrow.Field("item", new arrow.Float32(), true));
  const fields = [new arrow.Field("row", new arrow.Uint32(), false), new arrow.Field("vector", list, false)];
  const children = [
    arrow.makeData({
      type: new arrow.Uint32(),
      length: rows,
      nullCount: 0,
      data: Uint32Array.from({ length: rows }, (_, row) => firstRow + row),
    }),
    arrow.makeData({
      type: list,
      length: rows,
      nullCount: 0,
      child: arrow.makeData({
        type: new arrow.Float32(),
        length: rows * dimensions,
        nullCount: 0,
        data: vectors,
      }),
    }),
  ];
  const struct = arrow.makeData({ type: new arrow.Struct(fields), length: rows, nullCount: 0, children });
  return new arrow.Table(new arrow.RecordBatch(new arrow.Schema(fields), struct));
}

function bytesOf(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
