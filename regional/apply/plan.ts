/** Decides what a batch of changes does to a site's copies. */
import type { Change, DocumentRecord } from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { ErrorCode } from "@kattegat/protocol/errors.ts";
import { compareFences, compareSequences } from "@kattegat/protocol/sequence.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";
import { WITHDRAWN, fenceOf, isComplete } from "./holding.ts";
import type { Holding } from "./holding.ts";

export interface Refusal {
  readonly sequence: string;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** The state that one document must have after the batch; `document` is null where no copy may be. */
export interface Outcome {
  readonly documentId: string;
  readonly document: DocumentRecord | null;
  readonly holding: Holding;
  /**
   * The site has it so by its own notes already, or has no note of what it is to withdraw: whoever sends it doubts them, so points
   * that no note tells of are removed as well.
   */
  readonly isDoubted: boolean;
}

export interface Plan {
  readonly outcomes: readonly Outcome[];
  readonly refused: readonly Refusal[];
}

export interface PlanOptions {
  readonly holdings: ReadonlyMap<string, Holding>;
  /** What was applied in order up to it is complete, so that an equal change needs no second write. */
  readonly watermark: Fence;
  /** Tombstones of changes before it are forgotten: a put that old cannot be told from one that was withdrawn. */
  readonly horizonSequence: string;
  /** Why the site may not hold the document, or null. */
  readonly refusal: (document: DocumentRecord) => Omit<Refusal, "sequence"> | null;
}

type Told = Exclude<Change, { kind: "skip" }>;

/**
 * Folds the changes over what is held; the later fence wins whatever the order of arrival.
 *
 * @throws {KattegatError} `divergence` when a fence comes again with another document.
 */
export function planOf(changes: readonly Change[], options: PlanOptions): Plan {
  const outcomes = new Map<string, Outcome>();
  const refused: Refusal[] = [];
  for (const change of changes) {
    if (change.kind === "skip") continue;
    const refusal = change.kind === "put" ? options.refusal(change.document) : null;
    if (refusal !== null) refused.push({ sequence: change.sequence, ...refusal });
    const planned = outcomes.get(change.document_id)?.holding;
    const stored = options.holdings.get(change.document_id);
    // A refused put still ends an older copy: the site may not keep what the document was before.
    const isRefused = refusal !== null;
    // What this batch writes anew is not in doubt.
    const brokenOff =
      planned === undefined && stored !== undefined
        ? brokenOffOutcome(change, { known: stored, isRefused, options })
        : null;
    const outcome = brokenOff ?? outcomeOf(change, { known: planned ?? stored, isRefused, options });
    if (outcome !== null) outcomes.set(change.document_id, outcome);
  }
  return { outcomes: Array.from(outcomes.values()), refused };
}

/**
 * A later write that was broken off before the watermark passed it may have left what was there before it, a tombstone beside
 * the points that it was to remove. Once the watermark passes this change, that would be shown as what the site should have (I9).
 *
 * Null where nothing of the kind is possible, or where the copy is of a later version, which is no harm.
 */
function brokenOffOutcome(
  change: Told,
  { known, isRefused, options }: { known: Holding; isRefused: boolean; options: PlanOptions },
): Outcome | null {
  const fence: Fence = { epoch: change.epoch, sequence: change.sequence };
  const isBetween = compareFences(fence, options.watermark) > 0 && compareFences(fence, fenceOf(known)) < 0;
  if (!isBetween) return null;
  const removal = { documentId: change.document_id, document: null, isDoubted: true };
  if (known.digest === WITHDRAWN) return { ...removal, holding: known };
  if (change.kind === "put" && !isRefused) return null;
  // The write that was broken off comes again: the watermark has not passed it.
  return { ...removal, holding: { ...known, ...fence, digest: WITHDRAWN, passages: 0, late: false } };
}

function outcomeOf(
  change: Told,
  {
    known,
    isRefused,
    options,
  }: { readonly known: Holding | undefined; readonly isRefused: boolean; readonly options: PlanOptions },
): Outcome | null {
  const fence: Fence = { epoch: change.epoch, sequence: change.sequence };
  const digest = change.kind === "put" ? change.document.digest : WITHDRAWN;
  if (known === undefined) {
    if (compareSequences(change.sequence, options.horizonSequence) < 0) return null;
  } else {
    const order = compareFences(fence, fenceOf(known));
    if (order < 0) return null;
    if (order === 0 && known.digest !== digest) {
      // The feed gives a put as a withdraw once the document has moved on, and a parked put goes as one: that is the last word.
      if (known.digest === WITHDRAWN) return null;
      if (digest !== WITHDRAWN) throw divergence(change, { known, digest });
    }
    if (order === 0 && isComplete(known, options.watermark)) return null;
  }
  const document =
    change.kind === "put" && !isRefused && change.document.passages.length > 0 ? change.document : null;
  const passages = document?.passages.length ?? 0;
  return {
    documentId: change.document_id,
    document,
    isDoubted: known === undefined ? document === null : known.digest === digest,
    holding: {
      ...fence,
      digest,
      passages,
      // Never lowered: a write that a crash cut short counts as complete once its change comes again as superseded.
      ordinal_max: Math.max(passages, known?.ordinal_max ?? 0),
      late: compareFences(fence, options.watermark) <= 0,
    },
  };
}

function divergence(
  change: Told,
  { known, digest }: { readonly known: Holding; readonly digest: string },
): KattegatError {
  return new KattegatError(
    "divergence",
    `The fence (${change.epoch}, ${change.sequence}) came with digest ${digest.slice(0, 12)}, but the copy here has ${known.digest.slice(0, 12)} at it: ` +
      "two primaries have issued it. Nothing of this batch was applied; compare the site with the primary before going on.",
  );
}
