import { describe, expect, it } from "vitest";
import {
  billedQueriedGb,
  ownCost,
  pineconeCost,
  turbopufferCost,
  vectorizeCost,
  type Corpus,
  type Cost,
  type Operations,
} from "./costs.ts";
import { renderCosts } from "./costs-page.ts";

const operations: Operations = {
  cpuMsAQuery: 7,
  storeReadsAQuery: 0,
  otherStoreReadsAMonth: 0,
  scheduledRunsAMonth: 0,
  cpuMsAScheduledRun: 0,
  indexBytes: 0,
  storeWritesAMonth: 0,
  responseBytes: 10_000,
};

const corpus: Corpus = {
  documents: 650_000,
  dimensions: 384,
  textBytes: 850,
  metadataBytes: 200,
  sparseValues: 64,
  changesAMonth: 0,
};

function lineOf(cost: Cost, name: string): number {
  const line = cost.lines.find((each) => each.name === name);
  if (line === undefined) throw new Error(`no line ${name}`);
  return line.usd;
}

describe("the cost of Workers with R2", () => {
  it.each([
    [15e6, 1.5, 1.5, 8],
    [100e6, 27, 13.4, 45.4],
  ])("equals Cloudflare's example of %d requests of 7 ms", (queries, requests, cpu, total) => {
    const cost = ownCost(queries, operations);
    expect(lineOf(cost, "Workers requests")).toBeCloseTo(requests, 9);
    expect(lineOf(cost, "Workers CPU")).toBeCloseTo(cpu, 9);
    expect(cost.monthUsd).toBeCloseTo(total, 9);
  });

  it("equals Cloudflare's example of a Cron Trigger once an hour", () => {
    const hourly = { ...operations, scheduledRunsAMonth: 720, cpuMsAScheduledRun: 180_000 };
    expect(ownCost(0, hourly).monthUsd).toBeCloseTo(6.99, 2);
  });

  it("equals R2's examples of storage with reads", () => {
    const stored = {
      ...operations,
      indexBytes: 1_000e9,
      storeWritesAMonth: 1_000,
      otherStoreReadsAMonth: 1e6,
    };
    expect(lineOf(ownCost(0, stored), "R2 storage")).toBeCloseTo(14.85, 9);
    expect(lineOf(ownCost(0, stored), "R2 reads (class B)")).toBe(0);
    const hosted = { ...operations, otherStoreReadsAMonth: 300e6 };
    expect(lineOf(ownCost(0, hosted), "R2 reads (class B)")).toBeCloseTo(104.4, 9);
  });

  it("rounds R2's usage up to the next billed unit", () => {
    const over = { ...operations, indexBytes: 11.1e9, storeWritesAMonth: 1_000_001 };
    expect(lineOf(ownCost(0, over), "R2 storage")).toBeCloseTo(0.03, 9);
    expect(lineOf(ownCost(0, over), "R2 writes (class A)")).toBeCloseTo(4.5, 9);
  });

  it("charges a million more queries for requests, CPU and the reads that reach R2", () => {
    const cost = ownCost(0, { ...operations, cpuMsAQuery: 50, storeReadsAQuery: 20 });
    expect(cost.millionQueriesUsd).toBeCloseTo(0.3 + 1 + 7.2, 9);
  });
});

describe("the cost of the peers", () => {
  it("equals Vectorize's example: 10,000 vectors of 768, queried 30,000 times", () => {
    const small = { ...corpus, documents: 10_000, dimensions: 768 };
    const cost = vectorizeCost(30_000, small, 0);
    expect(lineOf(cost, "queried dimensions")).toBe(0);
    // Without what is included the page gives 30,720,000 × $0.01 a million with 7,680,000 × $0.05 a hundred million.
    const doubled = vectorizeCost(30_000 * 2 + 10_000, { ...small, dimensions: 768 * 2 }, 0);
    expect(lineOf(doubled, "queried dimensions")).toBeCloseTo((80_000 * 1_536 - 50e6) * 1e-8, 9);
    expect(lineOf(doubled, "stored dimensions")).toBeCloseTo((10_000 * 1_536 - 10e6) * 5e-10, 9);
    expect(vectorizeCost(0, corpus, 0).millionQueriesUsd).toBeCloseTo(0.3 + 3.84, 9);
  });

  it("bills turbopuffer's queries at 1.28 GB or more, with discounts above 32 and 128 GB", () => {
    expect(billedQueriedGb(0.3)).toBe(1.28);
    expect(billedQueriedGb(2)).toBe(2);
    expect(billedQueriedGb(32)).toBe(32);
    expect(billedQueriedGb(64)).toBeCloseTo(32 + 32 * 0.2, 9);
    expect(billedQueriedGb(228)).toBeCloseTo(32 + 96 * 0.2 + 100 * 0.04, 9);
  });

  it("asks turbopuffer's monthly minimum when usage is below it", () => {
    const options = { responseBytes: 10_000, queriesASearch: 2 };
    const cost = turbopufferCost(1_000, corpus, options);
    expect(cost.monthUsd).toBe(16);
    expect(cost.lines.reduce((sum, { usd }) => sum + usd, 0)).toBeCloseTo(16, 9);
    // 650,000 × (1,536 + 850 + 200) bytes = 1.68 GB, twice a search, and 10 GB returned at five cents.
    expect(cost.millionQueriesUsd).toBeCloseTo(2 * 1.6809 + 0.5, 9);
    const busy = turbopufferCost(100e6, corpus, options);
    expect(busy.monthUsd).toBeCloseTo(1.6809 * 0.33 + 386.18, 4);
  });

  it.each([
    [500_000, 768, 500, 1.79],
    [1_000_000, 1_536, 1_000, 7.15],
  ])("sizes a Pinecone index of %d records as its page does", (documents, dimensions, metadataBytes, gb) => {
    const records = { ...corpus, documents, dimensions, metadataBytes, textBytes: 0, sparseValues: 0 };
    const cost = pineconeCost(1e6, records, { responseBytes: 0 });
    expect(lineOf(cost, "storage") / 0.33).toBeCloseTo(gb, 1);
    expect(lineOf(cost, "read units")).toBeCloseTo(16 * (lineOf(cost, "storage") / 0.33), 6);
  });

  it("reads at least a quarter of a unit from Pinecone, and pays its minimum", () => {
    const tiny = pineconeCost(1_000, { ...corpus, documents: 1_000 }, { responseBytes: 0 });
    expect(tiny.millionQueriesUsd).toBeCloseTo(4, 9);
    expect(tiny.monthUsd).toBe(50);
  });
});

describe("the page of costs", () => {
  it("is rendered from measured operations, with every source", () => {
    const page = renderCosts({ measured_at: "2026-11-25T00:00:00.000Z", corpus, operations });
    for (const name of ["Kattegat", "Vectorize", "turbopuffer", "Pinecone"]) expect(page).toContain(name);
    expect(page).toContain("https://developers.cloudflare.com/r2/pricing/");
    expect(page).toContain("650,000");
  });

  it("shows prices alone, no costs, when nothing was measured", () => {
    const page = renderCosts(null);
    expect(page).toContain("| R2 | GB-month beyond 10 | 0.015 |");
    expect(page).not.toContain("A month");
    expect(page).not.toMatch(/undefined|NaN/);
  });
});
