/** Warming with eviction beside plain LRU, on replayed query logs. */
import { readFileSync } from "node:fs";
import { createBlockCache, type BlockCache, type Sized } from "@kattegat/edge/cold/block-cache.ts";
import { WARMING_BUDGET } from "@kattegat/edge/warming/plan.ts";
import { parseQueryLog, type LogRecord } from "@kattegat/edge/warming/query-log.ts";
import { replay, type ReplayOptions, type ReplayResult } from "@kattegat/edge/warming/replay.ts";
import { syntheticLog } from "@kattegat/edge/warming/synthetic-log.ts";
import { createFifoCache, createLruCache, createSieveCache } from "./cold/rival-caches.ts";
import { machineName, publish, type Table } from "./report.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

/** Path of an NDJSON log of `{at, colo, lists}`; without it the log is made up. */
const QUERY_LOG = process.env["KATTEGAT_BENCH_QUERY_LOG"] ?? null;

const LISTS = 1_600;
const MIB = 2 ** 20;
/** Of 93 MiB of lists. */
const CACHE_MIB = [4, 8, 16, 32] as const;
const IDLE_MS = 2 * 3_600_000;

type CreateCache = (options: { readonly bytesMax: number }) => BlockCache<Sized>;

const EVICTIONS: Readonly<Record<string, CreateCache>> = {
  LRU: createLruCache,
  SIEVE: createSieveCache,
  "S3-FIFO": createFifoCache,
  GDSF: createBlockCache,
};

interface Scenario {
  readonly name: string;
  readonly log: readonly LogRecord[];
  readonly idleMsMax: number | null;
}

/** Lists of 600 rows on average, between a third and thrice that, 100 bytes of code with factors and id each. */
function bytesOfLists(): (list: number) => number {
  const random = seededRandom(23);
  const bytes = Array.from({ length: LISTS }, () => Math.round(60_000 * 3 ** (2 * random() - 1)));
  return (list) => bytes[list % LISTS] ?? 60_000;
}

function scenarios(): Scenario[] {
  if (QUERY_LOG !== null) {
    const log = [...parseQueryLog(readFileSync(QUERY_LOG, "utf8").split("\n"))];
    return [{ name: `the log ${QUERY_LOG}`, log, idleMsMax: IDLE_MS }];
  }
  const common = { lists: LISTS, days: 21, colos: ["CPH", "IAD", "SIN"], zipf: 0.9, drift: 0.03 };
  return [
    {
      name: "busy colos, one generation",
      log: [
        ...syntheticLog({ ...common, queriesADay: 2_000, generationDays: null, random: seededRandom(1) }),
      ],
      idleMsMax: null,
    },
    {
      name: "quiet nights, a generation every two days",
      log: [...syntheticLog({ ...common, queriesADay: 400, generationDays: 2, random: seededRandom(2) })],
      idleMsMax: IDLE_MS,
    },
  ];
}

function tableOf({ name, log, idleMsMax }: Scenario): Table {
  const bytesOfList = bytesOfLists();
  const rows = CACHE_MIB.flatMap((mib) => {
    const options: ReplayOptions = { cacheBytesMax: mib * MIB, bytesOfList, idleMsMax };
    const lru = replay(log, { createCache: createLruCache, warming: null }, options);
    return Object.entries(EVICTIONS).flatMap(([eviction, createCache]) =>
      [false, true].map((isWarmed) => {
        const budget = { ...WARMING_BUDGET, bytesMax: Math.min(WARMING_BUDGET.bytesMax, 0.75 * mib * MIB) };
        const result = replay(log, { createCache, warming: isWarmed ? { budget } : null }, options);
        return [mib, isWarmed ? `${eviction}, warmed` : eviction, ...figuresOf(result, lru)];
      }),
    );
  });
  const queries = log.filter((record) => "colo" in record).length;
  return {
    title: `${name}: ${queries.toLocaleString("en-US")} queries`,
    columns: [
      "cache MiB",
      "policy",
      "hit rate",
      "misses ÷ LRU's",
      "queries without a read",
      "warmed reads ÷ misses saved",
    ],
    rows,
  };
}

function figuresOf(result: ReplayResult, lru: ReplayResult): (number | null)[] {
  const misses = result.reads - result.hits;
  const saved = lru.reads - lru.hits - misses;
  return [
    result.hits / result.reads,
    misses / (lru.reads - lru.hits),
    result.wholeHits / result.queries,
    result.warmedReads === 0 || saved <= 0 ? null : result.warmedReads / saved,
  ];
}

export function benchWarming(): Promise<void> {
  publish({
    name: "warming",
    title: "Warming and eviction on replayed queries",
    command: "npm run bench -- warming",
    measured_at: new Date().toISOString(),
    machine: machineName(),
    notes: [
      `${LISTS} lists of 20 to 180 kB; each colo has a cache of its own. A hit is a list that a query found in memory.`,
      "The made-up log: Zipf 0.9 over 1,600 subjects, 12 lists a query, office hours, quiet weekends, 3 % of the subjects change rank a day, three weeks; seeded.",
      "Quiet nights: a colo that is not asked for two hours loses its memory, and each new generation renames all lists.",
      "A warming run reads at most three quarters of the cache, after a new generation and in the hour before a busy stretch.",
    ],
    tables: scenarios().map(tableOf),
  });
  return Promise.resolve();
}
