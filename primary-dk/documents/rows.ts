/** Rows that a transaction writes. */
import type { CommittedEffect } from "./operation.ts";
import type { Placements } from "./placements.ts";

/** A whole row of `documents`. */
export function documentRow(
  { after, content, epoch }: CommittedEffect,
  { at }: { readonly at: Date },
): Record<string, unknown> {
  return { ...after, text: content?.value.text ?? "", epoch, classified_at: at, updated_at: at };
}

/** A row of `changes`: what the document was, what it is, who held it by policy. */
export function changeRow(
  { kind, before, after, sequence, epoch }: CommittedEffect,
  { at, placements }: { readonly at: Date; readonly placements: Placements },
): Record<string, unknown> {
  const state = after ?? before;
  return {
    sequence,
    epoch,
    document_id: state?.id,
    version: state?.version,
    kind,
    residency: state?.residency,
    residency_before: before?.residency ?? null,
    tier: state?.tier,
    moving_from: after?.moving_from ?? null,
    held_before: before === null ? [] : placements.heldBefore(before),
    held_after: after === null ? [] : placements.holders(after),
    committed_at: at,
  };
}

/** Rows of `receipts`, one for each deletion. */
export function receiptRows(
  appended: readonly { readonly effect: CommittedEffect; readonly receipt: string | null }[],
  { at }: { readonly at: Date },
): Record<string, unknown>[] {
  return appended.flatMap(({ effect, receipt }) =>
    receipt === null
      ? []
      : [
          {
            id: receipt,
            document_id: effect.before?.id,
            epoch: effect.epoch,
            sequence: effect.sequence,
            requested_at: at,
            completed_at: null,
          },
        ],
  );
}
