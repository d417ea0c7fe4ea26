/** A site that takes copies. */
import type { ApplyResponse, Change, FeedChange, FeedHead } from "@kattegat/protocol/changes.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import type { Fence } from "@kattegat/protocol/sequence.ts";

/** Changes in order, on their way to one target. */
export interface Batch {
  readonly changes: readonly FeedChange[];
  /** Where the stream is before them. */
  readonly after: Fence;
  /** Where the stream is once these changes are in. */
  readonly position: Fence;
  readonly positionAt: string;
  readonly head: FeedHead;
}

/**
 * Resolves and throws as the target says, with `KattegatError`; every method may be repeated after a lost answer.
 */
export interface Target {
  readonly site: string;
  /** Of the vectors in its copies. */
  readonly model: string;
  /** Whether the model is only being prepared: then nobody waits for these copies. */
  readonly isNext: boolean;
  /** Between a batch that reached the log's head and the next: what a batch costs, however small it is, is then paid this seldom. */
  readonly restMs: number;
  watermark(signal: AbortSignal): Promise<Fence>;
  /** Resolves with the place in the log up to which whatever was withdrawn has left the target's disks; null while nobody knows. */
  removed(signal: AbortSignal): Promise<Fence | null>;
  /**
   * Resolves when the changes are stored. The watermark in the answer is stored with them; it may stay behind
   * `position` only when the batch changed no copy, and an empty batch stores it.
   *
   * @throws {KattegatError} `conflict` when the target is not at `after`, because its store was lost or went back: a batch
   * in that place would leave a gap that nobody sees.
   */
  apply(batch: Batch, signal: AbortSignal): Promise<ApplyResponse>;
  /** Resolves when the target answers; where it is missing, `watermark` serves. May be called beside every other method. */
  readonly probe?: (signal: AbortSignal) => Promise<unknown>;
  /** Work beside the stream, where the target has some. */
  readonly upkeep?: { heard(head: FeedHead): void; run(signal: AbortSignal): Promise<void> };
}

/** The changes as a site that is searched takes them. @throws {KattegatError} when one is sealed: that was for an archive. */
export function openChanges(changes: readonly FeedChange[]): readonly Change[] {
  return changes.map((change) => {
    if (change.kind !== "put-sealed") return change;
    throw new KattegatError("internal", `Expected open documents; change ${change.sequence} came sealed.`);
  });
}
