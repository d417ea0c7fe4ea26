/** What can happen to a document: asked for by a caller or by the primary itself. */
import type { TierName } from "@kattegat/config/network.ts";
import type { DocumentContent } from "./content.ts";
import type { PreparedPassage } from "./passages.ts";
import type { Placements } from "./placements.ts";
import type { Precondition } from "./precondition.ts";
import type { DocumentState } from "./state.ts";

export type WriteOperation =
  | {
      readonly kind: "put";
      readonly id: string;
      readonly content: DocumentContent;
      readonly zone: string;
      readonly precondition: Precondition;
    }
  | {
      readonly kind: "delete";
      readonly id: string;
      /** Null: the primary's own, which passes through no zone. */
      readonly zone: string | null;
      readonly precondition: Precondition;
    }
  /** Plans the copies anew after the policy has changed. */
  | { readonly kind: "place"; readonly id: string }
  /** Brings the document anew to where it is planned, withdraws it from the other sites named. One that is gone is only withdrawn. */
  | {
      readonly kind: "repair";
      readonly id: string;
      readonly residency: string;
      readonly from: readonly string[];
    }
  /** Ends a move whose new sites have confirmed the change `carried`. */
  | { readonly kind: "settle"; readonly id: string; readonly carried: string }
  /** Begins a move to `tier`, with the estimates that asked for it. */
  | {
      readonly kind: "move";
      readonly id: string;
      readonly carried: string;
      readonly tier: TierName;
      readonly use: number;
      readonly score: number;
    };

/** An operation with the passages that its content needs; null when the content is unchanged or has none. */
export interface PreparedOperation {
  readonly operation: WriteOperation;
  readonly passages: readonly PreparedPassage[] | null;
}

/** One change of the log before it has its sequence. */
export interface Effect {
  readonly kind: "put" | "delete" | "settle";
  readonly before: DocumentState | null;
  /** Sequences in it are those of `before` until the log gives new ones. */
  readonly after: DocumentState | null;
  /** The new content; null for a move, a settle, a deletion. */
  readonly content: { readonly value: DocumentContent; readonly passages: readonly PreparedPassage[] } | null;
  /** An audit asked for it: what memory has of the document is not believed. */
  readonly repaired?: true;
  /** Copies of a document that is gone; then there is neither `before` nor `after`. */
  readonly stray?: Stray;
}

interface Stray {
  readonly id: string;
  readonly residency: string;
  readonly held: readonly string[];
}

/** An effect in its place in the log. */
export interface CommittedEffect extends Effect {
  readonly sequence: string;
  readonly epoch: number;
}

/** A settle carries no new copy, so a `put` that a target has not seen yet stays the one that carries the document. */
export function sequenced(
  effect: Effect,
  {
    sequence,
    epoch,
    placements,
  }: {
    readonly sequence: string;
    readonly epoch: number;
    readonly placements: Pick<Placements, "holders">;
  },
): CommittedEffect {
  const { after } = effect;
  if (after === null) return { ...effect, sequence, epoch };
  const version = effect.content === null ? after.version : sequence;
  const carried = effect.kind === "settle" ? after.carried : sequence;
  const planned = placements.holders(after);
  // A site that a policy adds meanwhile gets its copy by a change that carries one.
  const held =
    effect.kind === "settle" ? planned.filter((site) => effect.before?.held.includes(site)) : planned;
  return { ...effect, after: { ...after, sequence, version, carried, held }, sequence, epoch };
}
