/** Public price-list values, each with its source and the day it was read. */

const MILLION = 1e6;
/** Every list below counts in decimal gigabytes. */
export const GB = 1e9;

/** Workers Paid, Standard usage model. Subrequests and data transfer are not billed. */
export const WORKERS = {
  source: { url: "https://developers.cloudflare.com/workers/platform/pricing/", readOn: "2026-11-25" },
  monthlyUsd: 5,
  requestsIncluded: 10 * MILLION,
  requestUsd: 0.3 / MILLION,
  cpuMsIncluded: 30 * MILLION,
  cpuMsUsd: 0.02 / MILLION,
} as const;

/** R2 standard storage. Reading and writing from a Worker transfers nothing that is billed. */
export const R2 = {
  source: { url: "https://developers.cloudflare.com/r2/pricing/", readOn: "2026-11-25" },
  gbMonthUsd: 0.015,
  gbIncluded: 10,
  classAUsd: 4.5 / MILLION,
  classAIncluded: MILLION,
  classBUsd: 0.36 / MILLION,
  classBIncluded: 10 * MILLION,
  /** Each kind of operation is billed in whole millions, storage in whole gigabytes. */
  operationsUnit: MILLION,
} as const;

/** Vectorize on Workers Paid; the Workers that call it are billed beside it. */
export const VECTORIZE = {
  source: { url: "https://developers.cloudflare.com/vectorize/platform/pricing/", readOn: "2026-11-25" },
  queriedDimensionUsd: 0.01 / MILLION,
  queriedDimensionsIncluded: 50 * MILLION,
  storedDimensionUsd: 0.05 / (100 * MILLION),
  storedDimensionsIncluded: 10 * MILLION,
} as const;

/** turbopuffer's Launch plan: the cheapest, with the same rates as Scale. */
export const TURBOPUFFER = {
  source: { url: "https://turbopuffer.com/pricing.md", readOn: "2026-11-25" },
  monthlyMinimumUsd: 16,
  indexedGbMonthUsd: 0.33,
  /** Before batch discounts of up to a half. */
  writtenGbUsd: 2,
  queriedPbUsd: 1,
  queriedGbMin: 1.28,
  /** Marginal discounts on the gigabytes that one query covers. */
  queriedTiers: [
    { aboveGb: 32, discount: 0.8 },
    { aboveGb: 128, discount: 0.96 },
  ],
  returnedGbUsd: 0.05,
} as const;

/** Pinecone serverless, Standard plan, AWS us-east-1. */
export const PINECONE = {
  source: { url: "https://docs.pinecone.io/guides/manage-cost/understanding-cost", readOn: "2026-11-25" },
  /** The unit prices: a copy of https://www.pinecone.io/pricing/ taken on 2026-11-04. */
  rates: {
    url: "https://docs.flexprice.io/cookbooks/pricing-teardowns/pinecone-pricing",
    readOn: "2026-11-25",
  },
  monthlyMinimumUsd: 50,
  gbMonthUsd: 0.33,
  readUnitUsd: 16 / MILLION,
  readUnitsPerGb: 1,
  readUnitsMin: 0.25,
  writeUnitUsd: 4 / MILLION,
  writeUnitBytes: 1_000,
  egressGbIncluded: 100,
  egressGbUsd: 0.1,
  idBytes: 8,
} as const;

/** What no public price was found for. */
export const UNKNOWN_PRICES: readonly string[] = [
  "The Workers Cache API: no page read names a price for it, and subrequests are not billed; it counts as free here.",
  "turbopuffer's batch discount between none and 50 %: writes are given without it.",
  "Regional Services (the hostname of the EU zone): no page read names a price.",
];
