import type { ProbeBudget } from "./dense-probes.ts";
import type { SpanBudget } from "./dense-spans.ts";

/** What one search may read, by what it is asked for. */
export interface DenseBudget {
  /** Null when the admitted rows are so few that their blocks are read at once. */
  readonly probes: ProbeBudget | null;
  /** Groups whose rows are read. */
  readonly candidates: number;
  /** Null when all of their blocks are read. */
  readonly spans: SpanBudget | null;
}

/** What files of this machine add: their reads cost microseconds, so recall is bound by processor time alone. */
const NEAR = {
  /** Four times as many as far away: lists overlap, and a vector that does not cluster is in any of them. */
  probesMax: 96,
  candidatesMin: 400,
  candidatesPerWanted: 4,
  /** As many as the index in memory scores without a scan. */
  directRows: 1_000,
} as const;

// Limits were chosen on queries of eight words over 20,000, 100,000 and 608,095 provisions, 384 dimensions; what is reported in docs/benchmarks.md
// was measured on other queries. Each pair: of a search without a filter, of one whose filter keeps a hundredth or less.

/** Reads of codes, lists side by side being one: with 12 instead of 11 and 16 spans a hybrid search of 608,095 needed 44 reads at most instead of 40 and found 0.003 more; under a filter 14 found 0.01 more than 11. */
const CODE_READS = { least: 11, most: 14 } as const;
/** At 608,095 0.8 MB found 0.001 less than 1 MB; at 100,000 lists of 2 MB hold 0.955 of the ten nearest under the filter, of 3 MB 0.974. */
const CODE_BYTES = { least: 800_000, most: 3_500_000 } as const;
/** Farther lists are left out by this factor to the nearest: reads 6.8 lists instead of 10.9 for 0.0013 of the top ten; 1.25 loses 0.005. */
const FARNESS_MAX = 1.3;
/** A choice, not measured: a filter that keeps a larger share is answered as if there were none. */
const BROAD_SHARE = 0.3;
/** A filter that keeps a smaller share gets no more: reads are as many as they may be. */
const NARROW_SHARE = 0.01;
/** 200 instead found 0.001 more of the top ten and read 15 % more. */
const CANDIDATES_MIN = 100;
/** A choice, not tuned: estimates of neighbours in a long ranking differ little, so the last wanted ones need company. */
const CANDIDATES_PER_WANTED = 1.5;
/** Under a filter each candidate lies alone. */
const SPANS = { least: 14, most: 20 } as const;
/** A megabyte with texts without a filter. */
const BLOCKS = { least: 64, most: 130 } as const;
/** 2.5 MB, a choice: a thousand wanted rows read 1.1 MB of rows in the mean. */
const BLOCKS_MANY = 200;
/** 35 kB to save a read; under a filter the best of several, since how far candidates lie apart depends on its share. */
const GAPS = [2] as const;
const GAPS_FILTERED = [2, 4, 8, 12, 16] as const;
/** From here on all of the budget for many wanted rows is given. */
const MANY_WANTED = 1_000;
/** A choice, not measured: of the codes that are read hardly any would be of one of so few rows. */
const DIRECT_ROWS = 160;
/** A choice: about the reads of both rounds, in one. */
const DIRECT_SPANS = 36;

/** Returns the budget of a search for `wanted` groups among `admittedRows` of `rows`. */
export function budgetOf(about: {
  readonly rows: number;
  readonly admittedRows: number;
  readonly wanted: number;
  /** So many lists whatever their bytes and distances; null lets the budget choose. */
  readonly probes: number | null;
  readonly near?: boolean;
  /** What the reader can do. */
  readonly codeReadsMax?: number;
}): DenseBudget {
  if (about.near === true) return nearBudgetOf(about);
  const { rows, admittedRows, wanted, probes, codeReadsMax = Infinity } = about;
  const narrowness = narrownessOf(rows > 0 ? admittedRows / rows : 1);
  const many = Math.min(1, Math.max(0, wanted * CANDIDATES_PER_WANTED - CANDIDATES_MIN) / MANY_WANTED);
  const need = Math.max(narrowness, many);
  const candidates = Math.ceil(Math.max(CANDIDATES_MIN, wanted * CANDIDATES_PER_WANTED));
  const gaps = narrowness === 0 ? GAPS : GAPS_FILTERED;
  const blocksMax = Math.max(
    Math.round(between(BLOCKS, narrowness)),
    Math.round(between({ least: BLOCKS.least, most: BLOCKS_MANY }, many)),
  );
  if (admittedRows <= DIRECT_ROWS && probes === null) {
    const spans = { spansMax: DIRECT_SPANS, blocksMax: BLOCKS_MANY, gaps };
    return { probes: null, candidates: DIRECT_ROWS, spans };
  }
  const chosen = {
    probesMax: Infinity,
    readsMax: Math.min(Math.round(between(CODE_READS, narrowness)), codeReadsMax),
    bytesMax: between(CODE_BYTES, need),
    farness: narrowness === 0 ? FARNESS_MAX : Infinity,
  };
  const asked = { probesMax: probes ?? 0, readsMax: Infinity, bytesMax: Infinity, farness: Infinity };
  return {
    probes: probes === null ? chosen : asked,
    candidates,
    spans: { spansMax: Math.round(between(SPANS, need)), blocksMax, gaps },
  };
}

function nearBudgetOf(about: { readonly admittedRows: number; readonly wanted: number }): DenseBudget {
  const { admittedRows, wanted } = about;
  const { probesMax, candidatesMin, candidatesPerWanted, directRows } = NEAR;
  if (admittedRows <= directRows) return { probes: null, candidates: directRows, spans: null };
  return {
    probes: { probesMax, readsMax: Infinity, bytesMax: Infinity, farness: Infinity },
    candidates: Math.max(candidatesMin, wanted * candidatesPerWanted),
    spans: null,
  };
}

/** How far a filter narrows, from 0 to 1: each halving of what it keeps needs as many lists more. */
function narrownessOf(share: number): number {
  if (share >= BROAD_SHARE) return 0;
  if (share <= NARROW_SHARE) return 1;
  return Math.log(BROAD_SHARE / share) / Math.log(BROAD_SHARE / NARROW_SHARE);
}

function between({ least, most }: { readonly least: number; readonly most: number }, share: number): number {
  return least + share * (most - least);
}
