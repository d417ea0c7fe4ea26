/** The choice of the model that a search asks for. */
import type { TierReport } from "@kattegat/protocol/search.ts";
import type { ColdTier } from "../cold/cold-tier.ts";
import { isComplete } from "./outcome.ts";
import type { Plan } from "./plan.ts";

/** A model to come that failed is left alone for so long: each try may cost a search a part of its time. */
const PAUSE_MS = 10_000;

export interface ModelChoice {
  /** Hears which models a site may be asked for. */
  hear(site: string, ready: readonly string[]): void;
  /** Whether every site of the plan has said that it may be asked for the model to come. */
  isNextReady(plan: Plan): boolean;
  /** Hears that a search by the model to come was not answered in full. */
  failed(reports: readonly TierReport[]): void;
}

/**
 * One search asks all sites for one model, so no ranking mixes two (I18): the one to come as soon as each has it, else the one that serves.
 *
 * What a site says holds until it says otherwise: should it have lost its copies meanwhile, the search is made again by the other model.
 */
export function createModelChoice(
  next: { readonly model: string; readonly cold: Pick<ColdTier, "isReady"> } | null,
  { now }: { readonly now: () => number },
): ModelChoice {
  const ready = new Set<string>();
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  return {
    hear(site, models) {
      if (next !== null && models.includes(next.model)) ready.add(site);
      else ready.delete(site);
    },
    isNextReady({ asks }) {
      if (next === null || asks.length === 0 || now() < pausedUntilMs) return false;
      return asks.every(({ kind, site }) => (kind === "cold" ? next.cold.isReady(site) : ready.has(site)));
    },
    failed(reports) {
      pausedUntilMs = now() + PAUSE_MS;
      for (const report of reports) if (!isComplete(report)) ready.delete(report.site);
    },
  };
}
