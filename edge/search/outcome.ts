/** What one question to a site brought. */
import type { TierName } from "@kattegat/config/network.ts";
import type { SitedCandidate } from "@kattegat/protocol/fuse.ts";
import type { TierReport, TierStatus } from "@kattegat/protocol/search.ts";
import type { ColdPlace } from "../cold/cold-candidates.ts";

export interface Outcome {
  readonly reports: readonly TierReport[];
  readonly dense: readonly SitedCandidate[];
  readonly lexical: readonly SitedCandidate[];
  /** Where the texts of cold candidates are, by `passageKey`. */
  readonly places: ReadonlyMap<string, ColdPlace>;
}

/** Names a passage of one site's copy. */
export function passageKey(passage: {
  readonly site: string;
  readonly document_id: string;
  readonly ordinal: number;
}): string {
  return `${passage.site} ${passage.document_id}#${passage.ordinal}`;
}

/** The report of tiers that gave nothing. */
export function failureReports(
  site: string,
  tiers: readonly TierName[],
  failure: { readonly status: TierStatus; readonly reason: string; readonly tookMs: number },
): TierReport[] {
  return tiers.map((tier) => ({
    tier,
    site,
    status: failure.status,
    took_ms: failure.tookMs,
    cache: "none",
    watermark: null,
    lag_ms: null,
    reason: failure.reason,
  }));
}

/** True for what a site that was asked may say without making the answer partial. */
export function isComplete(report: TierReport): boolean {
  return report.status === "ok" || report.status === "not_permitted" || report.status === "not_asked";
}
