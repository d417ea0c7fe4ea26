import type { ProbeBudget } from "./dense-probes.ts";
import type { SpanBudget } from "./dense-spans.ts";

/** What one search may read, by what it is asked for. */
export interface DenseBudget {
  /** Null when the admitted rows are so few that their blocks are read at once. */
  readonly probes: ProbeBudget | null;
  /** Groups whose rows are read. */
  readonly candidates: number;
  readonly spans: SpanBudget;
}

/** Lists of a search without a filter, and of one whose filter keeps a hundredth or less, or that wants many rows. */
const PROBES = { least: 12, most: 22 } as const;
/** Their bytes: a search may land among the longest lists, of six times the mean. */
const CODE_BYTES = { least: 1_200_000, most: 1_700_000 } as const;
/** A list a third farther than the nearest one: stopping there read a quarter less and lost 0.001 of the top ten. */
const FARNESS_MAX = 1.3;
/** A filter that keeps a larger share is answered as if there were none: twelve lists hold enough of what it keeps. */
const BROAD_SHARE = 0.3;
/** A filter that keeps a smaller share gets no more lists: reads are as many as they may be. */
const NARROW_SHARE = 0.01;
/** Among the hundred best estimates are 0.995 of what the lists hold of the top ten; 50 have 0.98. */
const CANDIDATES_MIN = 100;
/** Estimates of neighbours in a long ranking differ little, so the last wanted ones need company. */
const CANDIDATES_PER_WANTED = 1.5;
/** The hundred best lie in 17 spans without bridging; fourteen lose 0.003 of the top ten. Under a filter each lies alone. */
const SPANS = { least: 14, most: 20 } as const;
/** Three quarters of a megabyte at most; the mean is 0.33. */
const BLOCKS = 60;
/** A thousand wanted rows lie in some 200 blocks: reading them is 2.5 MB. */
const BLOCKS_MANY = 200;
/** Bridging two blocks costs 25 kB, a tenth of what a read costs in time. */
const GAP_BLOCKS_MAX = 2;
/** From here on all of the budget for many wanted rows is given. */
const MANY_WANTED = 1_000;
/** So few rows are better chosen by their home lists than by reading codes, of which one in thousands is of use. */
const DIRECT_ROWS = 160;
/** The reads of both rounds in one. */
const DIRECT_SPANS = 36;

/** Returns the budget of a search for `wanted` groups among `admittedRows` of `rows`. */
export function budgetOf(about: {
  readonly rows: number;
  readonly admittedRows: number;
  readonly wanted: number;
  /** So many lists whatever their bytes and distances; null lets the budget choose. */
  readonly probes: number | null;
}): DenseBudget {
  const { rows, admittedRows, wanted, probes } = about;
  const narrowness = narrownessOf(rows > 0 ? admittedRows / rows : 1);
  const many = Math.min(1, Math.max(0, wanted * CANDIDATES_PER_WANTED - CANDIDATES_MIN) / MANY_WANTED);
  const need = Math.max(narrowness, many);
  const candidates = Math.ceil(Math.max(CANDIDATES_MIN, wanted * CANDIDATES_PER_WANTED));
  const blocksMax = Math.round(between({ least: BLOCKS, most: BLOCKS_MANY }, many));
  if (admittedRows <= DIRECT_ROWS && probes === null) {
    const spans = { spansMax: DIRECT_SPANS, blocksMax: BLOCKS_MANY, gapMax: GAP_BLOCKS_MAX };
    return { probes: null, candidates: DIRECT_ROWS, spans };
  }
  const chosen = {
    probesMax: Math.round(between(PROBES, need)),
    bytesMax: between(CODE_BYTES, need),
    farness: narrowness === 0 ? FARNESS_MAX : Infinity,
  };
  const asked = { probesMax: probes ?? 0, bytesMax: Infinity, farness: Infinity };
  return {
    probes: probes === null ? chosen : asked,
    candidates,
    spans: { spansMax: Math.round(between(SPANS, need)), blocksMax, gapMax: GAP_BLOCKS_MAX },
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
