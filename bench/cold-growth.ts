/** How the dense half of a base grows: clustered vectors up to ten million, or a file of vectors that is given. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { z } from "zod";
import { createClusteredSource } from "./cold/clustered-source.ts";
import { COLUMNS } from "./cold/ask.ts";
import { drawCurves } from "./cold/curve.ts";
import { measuredSchema, measureVectors, type MeasuredVectors } from "./cold/measure-vectors.ts";
import { writeNpy } from "./cold/npy.ts";
import { machineName, publish, type Table } from "./report.ts";

/** Counts with dimensions. */
const SIZES =
  process.env["KATTEGAT_BENCH_SIZES"] ??
  "100000x384,1000000x384,100000x128,1000000x128,2000000x128,10000000x128";
/** Where vectors and bases lie meanwhile: at ten million of 128 dimensions 8 GB. */
const FOLDER = process.env["KATTEGAT_BENCH_FOLDER"] ?? tmpdir();
const VECTORS = process.env["KATTEGAT_BENCH_VECTORS"] ?? null;
const VECTOR_QUERIES = process.env["KATTEGAT_BENCH_VECTOR_QUERIES"] ?? null;
const KEPT = join(import.meta.dirname, "results", "operations", "cold-growth.json");
const QUERIES = 200;
const SEED = 1;
const BLOCK_ROWS = 4_096;

const SIZE_COLUMNS = [
  "passages",
  "dimensions",
  "lists",
  "entries a passage",
  "build s",
  "build CPU s",
  "peak resident MiB",
  "bytes a passage",
  "resident MB in the Worker",
  "recall@10",
  "expected when built",
  "expected with 1 %",
  "KiB a query",
  "reads",
  "CPU ms p50",
];

/** The reader's own choice is the last row of the curve. */
function sizeRow(measured: MeasuredVectors): Table["rows"][number] {
  const reader = measured.curve.at(-1) ?? [];
  const cell = (name: string): Table["rows"][number][number] => reader[COLUMNS.indexOf(name)] ?? null;
  return [
    measured.passages,
    measured.dimensions,
    measured.lists,
    measured.entries,
    measured.buildSeconds,
    measured.buildCpuSeconds,
    measured.peakMib,
    Math.round(measured.bytes / measured.passages),
    measured.residentBytes / 1e6,
    cell("recall@10"),
    measured.expected.all,
    measured.expected.hundredth,
    cell("KiB a query"),
    cell("reads"),
    cell("CPU ms p50"),
  ];
}

function curveTable(measured: MeasuredVectors): Table {
  return {
    title: `${measured.passages.toLocaleString("en-US")} vectors of ${measured.dimensions} dimensions, ${measured.queries} queries`,
    columns: COLUMNS,
    rows: measured.curve,
  };
}

/** Keeps each size as it is measured, beside those of other runs: the largest takes an hour. */
export async function benchColdGrowth(): Promise<void> {
  for (const size of SIZES.split(",").filter((name) => name !== "")) {
    console.log(`  ${size} clustered vectors`);
    const [count = 0, dimensions = 0] = size.split("x").map(Number);
    const measured = await measureGenerated({ count, dimensions });
    const others = keptSizes().filter(
      (kept) => kept.passages !== measured.passages || kept.dimensions !== measured.dimensions,
    );
    const all = [...others, measured].toSorted(
      (a, b) => b.dimensions - a.dimensions || a.passages - b.passages,
    );
    writeFileSync(KEPT, `${JSON.stringify(all, null, 2)}\n`);
  }
  publishGrowth(keptSizes());
}

function keptSizes(): readonly MeasuredVectors[] {
  return existsSync(KEPT) ? z.array(measuredSchema).parse(JSON.parse(readFileSync(KEPT, "utf8"))) : [];
}

function publishGrowth(all: readonly MeasuredVectors[]): void {
  const curves = all.map(curveTable).filter(({ rows }) => rows.length > 0);
  publish({
    name: "cold-growth",
    title: "Growth of the cold index",
    command: "npm run bench -- cold-growth",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      "The dense half of a base, built by the code that replication builds with, on the threads that it starts, in a process of its own for each size; reading and rounding the vectors is not counted as building, the memory for them is.",
      "Vectors are generated: leaves of 400 rows in branches, a third of the rows equal or nearly equal to others (`bench/cold/clustered-source.ts`). Queries are of the same distribution, none of them a row. Truth is an exact scan of the float vectors.",
      "Recall is against the floats, of which eight bits tell near-duplicates apart less well: it ends below 1 however much is read. “Expected” is what the builder measured against the rounded vectors with queries of its own making, without a filter and among a random hundredth.",
      "In memory of the Worker is the dense half alone; words and documents come on top.",
      "The machine was shared with other work, the processes had a low priority: wall seconds are several times those of a quiet machine, CPU seconds more as well.",
      "The curves: ![recall by bytes at each size](cold-growth.svg)",
    ],
    tables: [
      { title: "By size, as the reader chooses", columns: SIZE_COLUMNS, rows: all.map(sizeRow) },
      ...curves,
    ],
  });
  drawCurves("cold-growth.svg", { title: "Clustered vectors", tables: curves });
}

async function measureGenerated({
  count,
  dimensions,
}: {
  readonly count: number;
  readonly dimensions: number;
}): Promise<MeasuredVectors> {
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, "kattegat-growth-"));
  try {
    const source = createClusteredSource({ count, dimensions, seed: SEED });
    const [vectors, queries] = [join(folder, "vectors.npy"), join(folder, "queries.npy")];
    await writeNpy(vectors, dimensions, source.blocks(BLOCK_ROWS));
    await writeNpy(
      queries,
      dimensions,
      source.queries(QUERIES).map((query) => Float32Array.from(query)),
    );
    return await measureVectors({ vectors, queries, queriesMax: QUERIES, folder: join(folder, "base") });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Recall by bytes by CPU time for vectors of any encoder. */
export async function benchColdVectors(): Promise<void> {
  if (VECTORS === null) {
    console.log("  left out: KATTEGAT_BENCH_VECTORS names no file");
    return;
  }
  mkdirSync(FOLDER, { recursive: true });
  const folder = mkdtempSync(join(FOLDER, "kattegat-vectors-"));
  try {
    const order = { vectors: VECTORS, queries: VECTOR_QUERIES, queriesMax: QUERIES };
    const measured = await measureVectors({ ...order, folder });
    const queries =
      VECTOR_QUERIES === null
        ? `${measured.queries} rows of the file that the base does not have`
        : `the first ${measured.queries} rows of ${basename(VECTOR_QUERIES)}`;
    publish({
      name: "cold-vectors",
      title: `The cold index with the vectors of ${basename(VECTORS)}`,
      command: "KATTEGAT_BENCH_VECTORS=FILE npm run bench -- cold-vectors",
      measured_at: new Date().toISOString(),
      machine: machineName(),
      notes: [
        `Queries are ${queries}. Vectors are scaled to unit length; truth is an exact scan of the floats.`,
        "The dense half of a base alone, built by the code that replication builds with.",
      ],
      tables: [
        { title: "As the reader chooses", columns: SIZE_COLUMNS, rows: [sizeRow(measured)] },
        curveTable(measured),
      ],
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
