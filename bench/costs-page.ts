/** Renders docs/costs.md from what a run of the benchmarks measured. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { ownCost, pineconeCost, turbopufferCost, vectorizeCost, type Cost } from "./costs.ts";
import { GB, PINECONE, R2, TURBOPUFFER, UNKNOWN_PRICES, VECTORIZE, WORKERS } from "./prices.ts";

/** Beside the results, but not one of them: its shape is another. */
const MEASURED = join(import.meta.dirname, "results", "operations", "cold.json");
const PAGE = join(import.meta.dirname, "..", "docs", "costs.md");

const amount = z.number().nonnegative();
const measuredSchema = z.object({
  measured_at: z.iso.datetime(),
  corpus: z.object({
    documents: amount,
    dimensions: amount,
    textBytes: amount,
    metadataBytes: amount,
    sparseValues: amount,
    changesAMonth: amount,
  }),
  operations: z.object({
    cpuMsAQuery: amount,
    storeReadsAQuery: amount,
    otherStoreReadsAMonth: amount,
    scheduledRunsAMonth: amount,
    cpuMsAScheduledRun: amount,
    indexBytes: amount,
    storeWritesAMonth: amount,
    responseBytes: amount,
  }),
});

/** What the costs are computed from; `bench/results/operations/cold.json`. */
export type MeasuredOperations = z.infer<typeof measuredSchema>;

/** From a quiet month to one in which what the plans include no longer matters. */
const QUERIES_A_MONTH = [100_000, 1_000_000, 10_000_000, 100_000_000] as const;
/** A hybrid search asks a peer without fusion once for vectors, once for words. */
const QUERIES_A_HYBRID_SEARCH = 2;
/** The Worker in front of Vectorize authenticates, fetches no lists, ranks nothing: what Cloudflare's own examples assume. */
const FRONT_CPU_MS = 7;

/** Returns the page; without a measurement it holds prices alone, since numbers are never made up. */
export function renderCosts(measured: MeasuredOperations | null): string {
  const parts = [
    "# What the cold tier costs",
    "This page is rendered by `npm run bench -- page` from `bench/results/operations/cold.json`, which a run of the benchmarks measures; prices are in `bench/prices.ts`, formulas in `bench/costs.ts`. US dollars, list prices, no tax.",
    ...(measured === null ? [] : costParts(measured)),
    "## Prices",
    table(["service", "what", "USD"], priceRows()),
    UNKNOWN_PRICES.map((unknown) => `- Not priced: ${unknown}`).join("\n"),
    "Sources:",
    [WORKERS.source, R2.source, VECTORIZE.source, TURBOPUFFER.source, PINECONE.source, PINECONE.rates]
      .map(({ url, readOn }) => `- ${url}, read ${readOn}`)
      .join("\n"),
  ];
  return `${parts.join("\n\n")}\n`;
}

function costParts(measured: MeasuredOperations): string[] {
  const { corpus, operations } = measured;
  const months = QUERIES_A_MONTH.map((queries) => ({ queries, costs: costsOf(queries, measured) }));
  const names = months[0]?.costs.map(({ name }) => name) ?? [];
  const million = months[0]?.costs.map(({ millionQueriesUsd }) => usd(millionQueriesUsd)) ?? [];
  const busy = months.at(-2);
  return [
    `${corpus.documents.toLocaleString("en-US")} documents at ${corpus.dimensions} dimensions, ${Math.round(corpus.changesAMonth).toLocaleString("en-US")} changes a month; measured ${measured.measured_at.slice(0, 10)}: ${operations.cpuMsAQuery.toFixed(1)} ms CPU with ${operations.storeReadsAQuery.toFixed(1)} R2 reads a query, ${(operations.indexBytes / GB).toFixed(2)} GB of index.`,
    "## A month",
    table(
      ["queries a month", ...names],
      months.map(({ queries, costs }) => [
        queries.toLocaleString("en-US"),
        ...costs.map(({ monthUsd }) => usd(monthUsd)),
      ]),
    ),
    "## One million queries more, when nothing is included any longer",
    table(names, [million]),
    `## ${busy?.queries.toLocaleString("en-US")} queries a month, line by line`,
    table(
      ["service", "line", "USD"],
      (busy?.costs ?? []).flatMap(({ name, lines }) => lines.map((line) => [name, line.name, usd(line.usd)])),
    ),
    [
      "- Kattegat: one Worker request a query, its CPU, the reads that reach R2; storage with writes of the builder. The primary that builds the index is not in the price; the peers' clients, which embed and write, are not either.",
      "- Calls of the Worker's own second entrypoint are not billed as requests (https://developers.cloudflare.com/workers/platform/pricing/#service-bindings).",
      `- Vectorize holds vectors alone: no texts, no lexical search. The Worker in front of it is taken at ${FRONT_CPU_MS} ms.`,
      `- turbopuffer: float32 vectors, indexed texts, ${QUERIES_A_HYBRID_SEARCH} queries a hybrid search, Launch plan, no batch discount on writes.`,
      "- Pinecone: dense with sparse vectors in one index, Standard plan, AWS us-east-1.",
    ].join("\n"),
  ];
}

function priceRows(): string[][] {
  const million = (price: number): string => String(Number((price * 1e6).toPrecision(6)));
  return [
    [
      "Workers",
      `a month, with ${WORKERS.requestsIncluded / 1e6} million requests, ${WORKERS.cpuMsIncluded / 1e6} million CPU ms`,
      String(WORKERS.monthlyUsd),
    ],
    ["Workers", "million requests more", million(WORKERS.requestUsd)],
    ["Workers", "million CPU ms more", million(WORKERS.cpuMsUsd)],
    ["R2", `GB-month beyond ${R2.gbIncluded}`, String(R2.gbMonthUsd)],
    ["R2", `million class A operations beyond ${R2.classAIncluded / 1e6} million`, million(R2.classAUsd)],
    ["R2", `million class B operations beyond ${R2.classBIncluded / 1e6} million`, million(R2.classBUsd)],
    [
      "Vectorize",
      `million queried dimensions beyond ${VECTORIZE.queriedDimensionsIncluded / 1e6} million`,
      million(VECTORIZE.queriedDimensionUsd),
    ],
    [
      "Vectorize",
      `million stored dimensions beyond ${VECTORIZE.storedDimensionsIncluded / 1e6} million`,
      million(VECTORIZE.storedDimensionUsd),
    ],
    ["turbopuffer", "a month at least", String(TURBOPUFFER.monthlyMinimumUsd)],
    ["turbopuffer", "GB-month, indexed", String(TURBOPUFFER.indexedGbMonthUsd)],
    ["turbopuffer", "GB written", String(TURBOPUFFER.writtenGbUsd)],
    [
      "turbopuffer",
      `PB queried, at least ${TURBOPUFFER.queriedGbMin} GB a query`,
      String(TURBOPUFFER.queriedPbUsd),
    ],
    ["turbopuffer", "GB returned", String(TURBOPUFFER.returnedGbUsd)],
    ["Pinecone", "a month at least", String(PINECONE.monthlyMinimumUsd)],
    ["Pinecone", "GB-month", String(PINECONE.gbMonthUsd)],
    [
      "Pinecone",
      `million read units: one a GB of namespace, at least ${PINECONE.readUnitsMin} a query`,
      million(PINECONE.readUnitUsd),
    ],
    ["Pinecone", "million write units: one a KB written", million(PINECONE.writeUnitUsd)],
    ["Pinecone", `GB of egress beyond ${PINECONE.egressGbIncluded}`, String(PINECONE.egressGbUsd)],
  ];
}

/** Keeps what a run measured, and renders the page from it. */
export function keepOperations(measured: MeasuredOperations): void {
  mkdirSync(dirname(MEASURED), { recursive: true });
  writeFileSync(MEASURED, `${JSON.stringify(measuredSchema.parse(measured), null, 2)}\n`);
  renderCostsPage();
}

/** Writes docs/costs.md from what is kept. */
export function renderCostsPage(): void {
  const measured = existsSync(MEASURED)
    ? measuredSchema.parse(JSON.parse(readFileSync(MEASURED, "utf8")))
    : null;
  writeFileSync(PAGE, renderCosts(measured));
}

function costsOf(queries: number, { corpus, operations }: MeasuredOperations): readonly Cost[] {
  const { responseBytes } = operations;
  return [
    ownCost(queries, operations),
    vectorizeCost(queries, corpus, FRONT_CPU_MS),
    turbopufferCost(queries, corpus, { responseBytes, queriesASearch: QUERIES_A_HYBRID_SEARCH }),
    pineconeCost(queries, corpus, { responseBytes }),
  ];
}

function usd(value: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}
