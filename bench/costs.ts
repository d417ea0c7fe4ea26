/** What searching costs, from measured operations by the published formulas. */
import { GB, PINECONE, R2, TURBOPUFFER, VECTORIZE, WORKERS } from "./prices.ts";

/** What a cold index holds and how it changes. */
export interface Corpus {
  readonly documents: number;
  readonly dimensions: number;
  /** Averages. */
  readonly textBytes: number;
  readonly metadataBytes: number;
  /** Non-zero values of a document's lexical vector. */
  readonly sparseValues: number;
  readonly changesAMonth: number;
}

/** What was measured of the edge; averages over all queries, cached ones included. */
export interface Operations {
  readonly cpuMsAQuery: number;
  /** Reads that reached R2. */
  readonly storeReadsAQuery: number;
  /** Reads of the manifest, warming runs, garbage collection. */
  readonly otherStoreReadsAMonth: number;
  readonly scheduledRunsAMonth: number;
  readonly cpuMsAScheduledRun: number;
  readonly indexBytes: number;
  readonly storeWritesAMonth: number;
  readonly responseBytes: number;
}

export interface Line {
  readonly name: string;
  readonly usd: number;
}

export interface Cost {
  readonly name: string;
  /** Sums to `monthUsd`. */
  readonly lines: readonly Line[];
  readonly monthUsd: number;
  /** One more million queries when everything that a plan includes is used up. */
  readonly millionQueriesUsd: number;
}

/** What is used beyond what is included, in whole units where the list bills so. */
function beyond(used: number, included: number, unit = 0): number {
  const over = Math.max(0, used - included);
  return unit === 0 ? over : Math.ceil(over / unit) * unit;
}

function costOf(name: string, lines: readonly Line[], millionQueriesUsd: number, minimumUsd = 0): Cost {
  const sum = lines.reduce((total, { usd }) => total + usd, 0);
  const rest = minimumUsd - sum;
  const all = rest > 0 ? [...lines, { name: "up to the plan's minimum", usd: rest }] : lines;
  return { name, lines: all, monthUsd: Math.max(sum, minimumUsd), millionQueriesUsd };
}

function workersLines(queries: number, cpuMsAQuery: number, scheduledCpuMs = 0): Line[] {
  const cpuMs = queries * cpuMsAQuery + scheduledCpuMs;
  return [
    { name: "Workers plan", usd: WORKERS.monthlyUsd },
    { name: "Workers requests", usd: beyond(queries, WORKERS.requestsIncluded) * WORKERS.requestUsd },
    { name: "Workers CPU", usd: beyond(cpuMs, WORKERS.cpuMsIncluded) * WORKERS.cpuMsUsd },
  ];
}

/** This network's cold tier: Workers with R2. Cron-triggered runs are billed by their CPU time. */
export function ownCost(queries: number, operations: Operations): Cost {
  const { cpuMsAQuery, storeReadsAQuery, scheduledRunsAMonth, cpuMsAScheduledRun } = operations;
  const reads = queries * storeReadsAQuery + operations.otherStoreReadsAMonth;
  const gb = operations.indexBytes / GB;
  const lines = [
    ...workersLines(queries, cpuMsAQuery, scheduledRunsAMonth * cpuMsAScheduledRun),
    { name: "R2 storage", usd: beyond(gb, R2.gbIncluded, 1) * R2.gbMonthUsd },
    {
      name: "R2 writes (class A)",
      usd: beyond(operations.storeWritesAMonth, R2.classAIncluded, R2.operationsUnit) * R2.classAUsd,
    },
    {
      name: "R2 reads (class B)",
      usd: beyond(reads, R2.classBIncluded, R2.operationsUnit) * R2.classBUsd,
    },
  ];
  const oneQuery = WORKERS.requestUsd + cpuMsAQuery * WORKERS.cpuMsUsd + storeReadsAQuery * R2.classBUsd;
  return costOf("Kattegat", lines, oneQuery * 1e6);
}

/** Vectorize with the Worker in front of it; it holds vectors alone, so texts and lexical search are not in the price. */
export function vectorizeCost(queries: number, corpus: Corpus, frontCpuMsAQuery: number): Cost {
  const { documents, dimensions } = corpus;
  const queried = (queries + documents) * dimensions;
  const stored = documents * dimensions;
  const lines = [
    ...workersLines(queries, frontCpuMsAQuery),
    {
      name: "queried dimensions",
      usd: beyond(queried, VECTORIZE.queriedDimensionsIncluded) * VECTORIZE.queriedDimensionUsd,
    },
    {
      name: "stored dimensions",
      usd: beyond(stored, VECTORIZE.storedDimensionsIncluded) * VECTORIZE.storedDimensionUsd,
    },
  ];
  const oneQuery =
    WORKERS.requestUsd + frontCpuMsAQuery * WORKERS.cpuMsUsd + dimensions * VECTORIZE.queriedDimensionUsd;
  return costOf("Vectorize", lines, oneQuery * 1e6);
}

/** turbopuffer with vectors as float32, texts indexed for BM25, metadata filterable; a hybrid search is two queries. */
export function turbopufferCost(
  queries: number,
  corpus: Corpus,
  { responseBytes, queriesASearch }: { readonly responseBytes: number; readonly queriesASearch: number },
): Cost {
  const documentBytes = corpus.dimensions * 4 + corpus.textBytes + corpus.metadataBytes;
  const gb = (corpus.documents * documentBytes) / GB;
  const searchUsd =
    (billedQueriedGb(gb) * queriesASearch * TURBOPUFFER.queriedPbUsd) / 1e6 +
    (responseBytes / GB) * TURBOPUFFER.returnedGbUsd;
  const lines = [
    { name: "storage", usd: gb * TURBOPUFFER.indexedGbMonthUsd },
    {
      name: "writes, without batch discount",
      usd: ((corpus.changesAMonth * documentBytes) / GB) * TURBOPUFFER.writtenGbUsd,
    },
    { name: "queries", usd: queries * searchUsd },
  ];
  return costOf("turbopuffer", lines, searchUsd * 1e6, TURBOPUFFER.monthlyMinimumUsd);
}

/** Gigabytes that are billed for one query of a namespace of so many: a minimum, then marginal discounts. */
export function billedQueriedGb(gb: number): number {
  let billed = Math.max(gb, TURBOPUFFER.queriedGbMin);
  let discountBelow = 0;
  for (const { aboveGb, discount } of TURBOPUFFER.queriedTiers) {
    billed -= Math.max(0, gb - aboveGb) * (discount - discountBelow);
    discountBelow = discount;
  }
  return billed;
}

/** Pinecone with dense and sparse vectors in one index, texts as metadata. */
export function pineconeCost(
  queries: number,
  corpus: Corpus,
  { responseBytes }: { readonly responseBytes: number },
): Cost {
  const recordBytes =
    PINECONE.idBytes +
    corpus.metadataBytes +
    corpus.textBytes +
    corpus.dimensions * 4 +
    corpus.sparseValues * 8;
  const gb = (corpus.documents * recordBytes) / GB;
  const readUnits = Math.max(PINECONE.readUnitsMin, gb * PINECONE.readUnitsPerGb);
  // An upsert of a known record pays for the old one too.
  const writeUnits = (corpus.changesAMonth * 2 * recordBytes) / PINECONE.writeUnitBytes;
  const egressGb = (queries * responseBytes) / GB;
  const lines = [
    { name: "storage", usd: gb * PINECONE.gbMonthUsd },
    { name: "write units", usd: writeUnits * PINECONE.writeUnitUsd },
    { name: "read units", usd: queries * readUnits * PINECONE.readUnitUsd },
    { name: "egress", usd: beyond(egressGb, PINECONE.egressGbIncluded) * PINECONE.egressGbUsd },
  ];
  const oneQuery = readUnits * PINECONE.readUnitUsd + (responseBytes / GB) * PINECONE.egressGbUsd;
  return costOf("Pinecone", lines, oneQuery * 1e6, PINECONE.monthlyMinimumUsd);
}
