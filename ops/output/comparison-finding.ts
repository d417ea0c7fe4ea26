/** What of a site's comparison a person has to look at. */
import type { SiteStatus } from "@kattegat/protocol/network-status.ts";

/**
 * Sixty rounds: a site is compared once in ten seconds unless told otherwise, and a round may wait for answers and for its bytes to be
 * paid for.
 */
export const REPORT_AGE_MS_MAX = 10 * 60_000;

const COMPARED_KINDS: ReadonlySet<SiteStatus["kind"]> = new Set(["primary", "regional", "edge", "archive"]);

export interface SiteComparison {
  readonly site: string;
  readonly kind: SiteStatus["kind"];
  /** Null where nothing was ever reported. */
  readonly comparison: NonNullable<SiteStatus["comparison"]> | null;
}

/** Sites whose copies are to be compared, the primary's index by itself, each with what was last said of them. */
export function comparedSites(sites: readonly SiteStatus[]): readonly SiteComparison[] {
  return sites
    .filter(({ kind, health }) => COMPARED_KINDS.has(kind) && health !== "not_running")
    .map(({ id, kind, comparison = null }) => ({ site: id, kind, comparison }));
}

/** Null where there is nothing to look at. */
export function findingOf({ kind, comparison }: SiteComparison): string | null {
  const hint = kind === "primary" ? "can it read its Postgres?" : "does replication run?";
  if (comparison === null) return `never reported: ${hint}`;
  const { state, unhealed, unread, report_age_ms: ageMs } = comparison;
  if (ageMs > REPORT_AGE_MS_MAX) return `last reported ${Math.round(ageMs / 60_000)} minutes ago: ${hint}`;
  if (state === "unavailable") return comparison.detail ?? "it cannot be compared";
  if (unread > 0) return `${unread} documents that differ cannot be read`;
  if (unhealed > 0) return `${unhealed} faults are not healed`;
  // Compared, but not all of it.
  return state === "equal" || state === "different" ? comparison.detail : null;
}
