/** What a change of the log means for one target. */
import type { TierName } from "@kattegat/config/network.ts";
import type { Placements } from "../documents/placements.ts";

/** A row of the log. */
export interface LoggedChange {
  readonly sequence: string;
  readonly epoch: number;
  readonly document_id: string;
  readonly kind: string;
  readonly residency: string;
  readonly residency_before: string | null;
  readonly held_before: readonly string[];
  readonly held_after: readonly string[];
  readonly committed_at: Date;
  /** The document's state now, when this change is the last one that carries it; null otherwise. */
  readonly current: {
    readonly residency: string;
    readonly tier: TierName;
    readonly moving_from: TierName | null;
    readonly passages: number;
    readonly characters: number;
  } | null;
}

export type Action = "put" | "withdraw" | "skip";

/**
 * What a change means for a target.
 *
 * A change that a later one supersedes carries nothing, but its withdraw is never left out: the later change knows only the
 * sites that held the document just before it. A superseded change of a site that keeps the document is skipped.
 *
 * What policy allows since the change was written comes with a change of its own: a copy that the log does not know of would never be withdrawn.
 */
export function actionOf(
  change: LoggedChange,
  { target, placements }: { readonly target: string; readonly placements: Pick<Placements, "holders"> },
): Action {
  const heldBefore = change.held_before.includes(target);
  if (change.kind === "put" && change.current !== null) {
    const isPlanned = change.held_after.includes(target);
    if (isPlanned && placements.holders(change.current).includes(target)) return "put";
    return heldBefore || change.held_after.includes(target) ? "withdraw" : "skip";
  }
  return heldBefore && !change.held_after.includes(target) ? "withdraw" : "skip";
}

/** Why a copy is withdrawn. */
export function reasonOf(
  change: Pick<LoggedChange, "kind" | "residency" | "residency_before">,
): "deleted" | "re-tiered" | "reclassified" {
  if (change.kind === "delete") return "deleted";
  return change.residency_before !== null && change.residency_before !== change.residency
    ? "reclassified"
    : "re-tiered";
}
