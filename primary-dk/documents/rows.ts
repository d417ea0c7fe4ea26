/** Rows that a transaction writes. */
import { hexOf } from "../postgres/hex.ts";
import {
  partitionOf,
  sealHead,
  sealText,
  type DataKey,
  type DocumentHead,
} from "../sealing/document-seals.ts";
import type { DocumentContent } from "./content.ts";
import type { CommittedEffect } from "./operation.ts";

/** A whole row of `documents`. */
export function documentRow(
  { after, content, epoch }: CommittedEffect,
  { at, keys }: { readonly at: Date; readonly keys: ReadonlyMap<string, DataKey> },
): Record<string, unknown> {
  const key = after === null ? undefined : keys.get(after.id);
  if (after === null || content === null || key === undefined)
    throw new RangeError("expected a written document with its key");
  const { title, metadata, ...clear } = after;
  return {
    ...clear,
    epoch,
    classified_at: at,
    updated_at: at,
    head: hexOf(sealHead(key, { title, metadata, given: givenIn(content.value) })),
    body: hexOf(sealText(key, "body", content.value.text)),
    characters: content.value.text.length,
  };
}

/** What cannot be made again from the text. */
function givenIn({ passages, model }: DocumentContent): DocumentHead["given"] {
  if (passages === null) return undefined;
  return { model, vectors: passages.flatMap(({ vector }, index) => (vector === null ? [] : [index + 1])) };
}

/** A row of `changes`: what the document was, what it is, who held it by policy. */
export function changeRow(
  { kind, before, after, sequence, epoch, stray }: CommittedEffect,
  { at }: { readonly at: Date },
) {
  if (stray !== undefined) return strayRow(stray, { epoch, sequence, at });
  const state = after ?? before;
  if (state === null) throw new TypeError("expected a change of a document that was, or is");
  return {
    sequence,
    epoch,
    document_id: state.id,
    version: state.version,
    kind,
    residency: state.residency,
    residency_before: before?.residency ?? null,
    tier: state.tier,
    moving_from: after?.moving_from ?? null,
    held_before: before?.held ?? [],
    held_after: after?.held ?? [],
    committed_at: at,
  };
}

/** The log withdraws copies that nobody planned as it does those of a document that is deleted. */
function strayRow(
  { id, residency, held }: NonNullable<CommittedEffect["stray"]>,
  { epoch, sequence, at }: { readonly epoch: number; readonly sequence: string; readonly at: Date },
) {
  return {
    sequence,
    epoch,
    document_id: id,
    version: sequence,
    kind: "delete" as const,
    residency,
    residency_before: null,
    tier: "cold" as const,
    moving_from: null,
    held_before: held,
    held_after: [],
    committed_at: at,
  };
}

/** Rows of `receipts`, one for each deletion. */
export function receiptRows(
  appended: readonly { readonly effect: CommittedEffect; readonly receipt: string | null }[],
  { at }: { readonly at: Date },
): readonly (Record<string, unknown> & { readonly id: string })[] {
  return appended.flatMap(({ effect, receipt }) =>
    receipt === null
      ? []
      : [
          {
            id: receipt,
            document_id: effect.before?.id,
            epoch: effect.epoch,
            sequence: effect.sequence,
            partition: partitionOf(effect.before?.id ?? ""),
            requested_at: at,
            completed_at: null,
          },
        ],
  );
}
