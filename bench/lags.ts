/** How far each target is behind, where whatever is not known counts as late. */
import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";

export interface LagTarget {
  readonly site: string;
  readonly kind: string;
}

export interface Lag extends LagTarget {
  /** Infinite while the target is not well, nobody says how far it is, or the status itself is not answered. */
  readonly ms: number;
}

/** The running sites that follow the log. */
export function targetsIn({ sites }: NetworkStatus): readonly LagTarget[] {
  return sites
    .filter(({ kind, health }) => (kind === "regional" || kind === "edge") && health !== "not_running")
    .map(({ id, kind }) => ({ site: id, kind }));
}

/** @param status - null when the question failed. */
export function lagsIn(status: NetworkStatus | null, targets: readonly LagTarget[]): readonly Lag[] {
  return targets.map((target) => {
    const told = status?.sites.find(({ id }) => id === target.site);
    const isKnown = told !== undefined && told.health === "ok" && told.lag_ms !== null;
    return { ...target, ms: isKnown ? (told.lag_ms ?? Infinity) : Infinity };
  });
}

/** JSON has no infinity, and a table says what it means. */
export function shownMs(ms: number): number | string {
  return Number.isFinite(ms) ? ms : "not known to be level";
}
