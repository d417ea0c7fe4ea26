import type { SpanBudget } from "./dense-spans.ts";
import type { ProbeBudget } from "./dense-probes.ts";

/** What one search may read, by what it is asked for. */
export interface DenseBudget {
  /** Null when the admitted rows are so few that their blocks are read at once. */
  readonly probes: ProbeBudget | null;
  /** Groups whose rows are read. */
  readonly candidates: number;
  readonly spans: SpanBudget;
}

const PROBES = 12;
const PROBES_FILTERED_MAX = 28;
const PROBES_WANTED_MAX = 20;
const CODE_BYTES_MAX = 1_300_000;
const CODE_BYTES_FILTERED_MAX = 1_700_000;
const FARNESS = 1.3;
/** A filter that keeps more is answered as if there were none. */
const BROAD_SHARE = 0.3;
const NARROW_SHARE = 0.01;
const CANDIDATES_MIN = 100;
const CANDIDATES_PER_WANTED = 1.5;
const SPANS = 14;
const SPANS_MAX = 24;
const DIRECT_ROWS = 160;
const DIRECT_SPANS = 36;

/** Returns the budget of a search for `wanted` groups among `admittedRows` of `rows`. */
export function budgetOf(about: {
  readonly rows: number;
  readonly admittedRows: number;
  readonly wanted: number;
  readonly probes: number | null;
}): DenseBudget {
  const { rows, admittedRows, wanted, probes } = about;
  const candidates = Math.ceil(Math.max(CANDIDATES_MIN, wanted * CANDIDATES_PER_WANTED));
  const manyWanted = candidates / CANDIDATES_MIN - 1;
  const spans = {
    spansMax: Math.min(SPANS_MAX, Math.round(SPANS + manyWanted)),
    blocksMax: Math.round(60 + 20 * manyWanted),
    gapMax: 2,
  };
  if (admittedRows <= DIRECT_ROWS && probes === null)
    return {
      probes: null,
      candidates: DIRECT_ROWS,
      spans: { ...spans, spansMax: DIRECT_SPANS, blocksMax: 160 },
    };
  // How far the filter narrows, from 0 to 1, on a logarithmic scale: each halving needs as many lists more.
  const share = rows > 0 ? admittedRows / rows : 1;
  const narrowness = Math.min(
    1,
    Math.max(0, Math.log(BROAD_SHARE / share) / Math.log(BROAD_SHARE / NARROW_SHARE)),
  );
  const widened = PROBES + narrowness * (PROBES_FILTERED_MAX - PROBES);
  const forWanted = Math.min(PROBES_WANTED_MAX, PROBES + manyWanted);
  return {
    probes: {
      probesMax: probes ?? Math.round(Math.max(widened, forWanted)),
      bytesMax:
        probes === null
          ? CODE_BYTES_MAX +
            Math.max(narrowness, Math.min(1, manyWanted)) * (CODE_BYTES_FILTERED_MAX - CODE_BYTES_MAX)
          : Infinity,
      farness: probes === null && narrowness === 0 ? FARNESS : Infinity,
    },
    candidates,
    spans,
  };
}
