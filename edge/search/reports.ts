/** The reports of the tiers as the caller reads them. */
import { TIER_NAMES } from "@kattegat/config/network.ts";
import type { TierReport } from "@kattegat/protocol/search.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import { failureReports, type Outcome } from "./outcome.ts";
import type { Ask, Withheld } from "./plan.ts";

/** Faster tiers first; those of one tier in the order of the plan. */
export function orderedReports(
  outcomes: readonly Outcome[],
  {
    silent,
    head,
    shortfall,
  }: {
    readonly silent: ReadonlySet<string>;
    readonly head: string;
    /** Why no tier could rank by all that was asked for; null when they could. */
    readonly shortfall: string | null;
  },
): TierReport[] {
  return outcomes
    .flatMap((outcome) => outcome.reports)
    .map((report) => (shortfall === null ? report : withShortfall(report, shortfall)))
    .map((report) =>
      silent.has(report.site) && report.status === "ok" ? silenced(report) : withoutIdleLag(report, head),
    )
    .toSorted((a, b) => TIER_NAMES.indexOf(a.tier) - TIER_NAMES.indexOf(b.tier));
}

function withShortfall(report: TierReport, shortfall: string): TierReport {
  if (report.status !== "ok") return report;
  return { ...report, reason: report.reason === undefined ? shortfall : `${report.reason}; ${shortfall}` };
}

function silenced(report: TierReport): TierReport {
  return { ...report, status: "unavailable", reason: "its texts could not be read" };
}

/** A copy at the head of the log has no lag, however long ago the last write was. */
function withoutIdleLag(report: TierReport, head: string): TierReport {
  return report.watermark !== null && compareSequences(report.watermark, head) >= 0
    ? { ...report, lag_ms: 0 }
    : report;
}

export function withheldOutcome(withheld: readonly Withheld[]): Outcome {
  const reports = withheld.flatMap(({ tier, site, reason }) =>
    failureReports(site, [tier], { status: "not_permitted", reason, tookMs: 0 }),
  );
  return { reports, dense: [], lexical: [], places: new Map() };
}

export function lateOutcome(ask: Ask, waitMs: number): Outcome {
  const failure = {
    status: "timeout",
    reason: `no answer within ${Math.round(waitMs)} ms`,
    tookMs: waitMs,
  } as const;
  return { reports: failureReports(ask.site, ask.tiers, failure), dense: [], lexical: [], places: new Map() };
}
