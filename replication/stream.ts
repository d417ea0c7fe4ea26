/** The states of one target's stream with the only function that moves between them. */
import type { FeedChange, FeedHead } from "@kattegat/protocol/changes.ts";
import { BATCH_CHANGES_MAX } from "@kattegat/protocol/changes.ts";
import type { ErrorCode } from "@kattegat/protocol/errors.ts";
import { compareFences, compareSequences, type Fence } from "@kattegat/protocol/sequence.ts";

/** How far the stream is: `watermark` is stored at the target, `position` was accepted by it. */
export interface Progress {
  readonly watermark: Fence;
  /** Ahead of the watermark only where a target stores watermarks less often than it takes batches. */
  readonly position: Fence;
}

export type State =
  /** Asks the target for its watermark. */
  | { readonly name: "starting"; readonly failures: number }
  /** Asks the feed for the next changes. */
  | { readonly name: "reading"; readonly progress: Progress; readonly failures: number }
  /** Holds the first `take` of `changes` at the target; `parking` when the one change goes as a withdraw. */
  | ApplyingState
  /** Caught up: asks the feed with a long poll. */
  | { readonly name: "waiting"; readonly progress: Progress }
  /** Level a moment ago: lets the next batch grow. The first change after a quiet time waits for nothing. */
  | { readonly name: "resting"; readonly progress: Progress }
  /** Lets time pass after a failure, then starts anew: the lost answer may have been a yes. */
  | {
      readonly name: "backing-off";
      readonly failures: number;
      readonly code: ErrorCode;
      readonly detail: string;
    }
  /** Needs a person: going on would hide a wrong copy. */
  | { readonly name: "halted"; readonly code: ErrorCode; readonly detail: string }
  | { readonly name: "stopped" };

export interface ApplyingState {
  readonly name: "applying";
  readonly progress: Progress;
  readonly failures: number;
  readonly changes: readonly FeedChange[];
  readonly head: FeedHead;
  readonly take: number;
  readonly parking: { readonly code: ErrorCode; readonly detail: string } | null;
}

export type StateName = State["name"];

export type StreamEvent =
  | { readonly name: "watermark-read"; readonly watermark: Fence }
  | {
      readonly name: "feed-read";
      readonly changes: readonly FeedChange[];
      readonly head: FeedHead;
    }
  | { readonly name: "applied"; readonly watermark: Fence }
  | { readonly name: "failed"; readonly code: ErrorCode; readonly detail: string }
  | { readonly name: "delay-passed" }
  | { readonly name: "stop" };

export type EventName = StreamEvent["name"];

/** Codes that say that going on is wrong, at whichever side they arose. */
const HALTING: ReadonlySet<ErrorCode> = new Set(["divergence", "stale_epoch"]);
/** Codes that are about a change itself; any other refusal (a key, a route) would park the whole log. */
const POISON: ReadonlySet<ErrorCode> = new Set([
  "bad_json",
  "bad_request",
  "bad_vector",
  "bad_filter",
  "unknown_residency",
  "no_legal_site",
  "residency_refused",
  "too_large",
]);

export const INITIAL: State = { name: "starting", failures: 0 };

/**
 * Returns the state after the event; the same object when the event came too late to mean anything there.
 *
 * Both switches are exhaustive: a new state or event does not compile before its cells are written.
 */
export function next(state: State, event: StreamEvent): State {
  if (state.name === "stopped") return state;
  switch (event.name) {
    case "stop":
      return { name: "stopped" };
    case "failed":
      return onFailure(state, event);
    case "watermark-read":
      return state.name === "starting" ? reading(state, event.watermark) : state;
    case "feed-read":
      return state.name === "reading" || state.name === "waiting" ? afterFeed(state, event) : state;
    case "applied":
      return state.name === "applying" ? afterApply(state, event.watermark) : state;
    case "delay-passed":
      return onDelay(state);
  }
}

function onDelay(state: Exclude<State, { name: "stopped" }>): State {
  switch (state.name) {
    case "resting":
      return { name: "waiting", progress: state.progress };
    case "backing-off":
      return { name: "starting", failures: state.failures };
    case "starting":
    case "reading":
    case "waiting":
    case "applying":
    case "halted":
      return state;
  }
}

function onFailure(state: Exclude<State, { name: "stopped" }>, event: FailedEvent): State {
  switch (state.name) {
    case "starting":
    case "reading":
      return afterFailure(event, state.failures);
    case "waiting":
      return afterFailure(event, 0);
    case "applying":
      return afterRefusal(state, event);
    case "resting":
    case "backing-off":
    case "halted":
      return state;
  }
}

function reading(state: { readonly failures: number }, watermark: Fence): State {
  return {
    name: "reading",
    progress: { watermark, position: watermark },
    failures: state.failures,
  };
}

type FeedReadEvent = Extract<StreamEvent, { name: "feed-read" }>;
type FailedEvent = Extract<StreamEvent, { name: "failed" }>;

function afterFeed(state: Extract<State, { name: "reading" | "waiting" }>, event: FeedReadEvent): State {
  const { progress } = state;
  const wrong = contradiction(progress.position, event);
  if (wrong !== null) return { name: "halted", ...wrong };
  const failures = state.name === "reading" ? state.failures : 0;
  const isFlush = event.changes.length === 0 && compareFences(progress.position, progress.watermark) > 0;
  // Reading with nothing to read is being caught up; waiting with an unstored position is the time to store it.
  if (event.changes.length === 0 && !(isFlush && state.name === "waiting"))
    // A target that went back to a backup is to be noticed while nobody writes, too.
    return state.name === "waiting" ? { name: "starting", failures: 0 } : { name: "waiting", progress };
  const take = Math.min(BATCH_CHANGES_MAX, event.changes.length);
  return {
    name: "applying",
    progress,
    failures,
    changes: event.changes,
    head: event.head,
    take,
    parking: null,
  };
}

/** What a feed may never say to a target at `position`. */
function contradiction(
  position: Fence,
  { changes, head }: FeedReadEvent,
): { readonly code: ErrorCode; readonly detail: string } | null {
  if (head.epoch < position.epoch) {
    return {
      code: "stale_epoch",
      detail: `Expected a feed of epoch ${position.epoch} or later; it is of epoch ${head.epoch}.`,
    };
  }
  if (compareSequences(head.sequence, position.sequence) < 0) {
    return {
      code: "divergence",
      detail: `Expected a log that reaches ${position.sequence}, where the target is; it ends at ${head.sequence}. Rebuild the target: empty it whole; of an archive the whole bucket, not only its watermark.`,
    };
  }
  let before = position.sequence;
  for (const { sequence } of changes) {
    if (compareSequences(sequence, before) <= 0) {
      return {
        code: "divergence",
        detail: `Expected changes in commit order after ${before}; ${sequence} came.`,
      };
    }
    before = sequence;
  }
  return null;
}

function afterApply(state: ApplyingState, watermark: Fence): State {
  const last = state.changes[state.take - 1];
  const sent = last === undefined ? state.progress.position : { epoch: last.epoch, sequence: last.sequence };
  const position = compareFences(watermark, sent) > 0 ? watermark : sent;
  const progress: Progress = { watermark, position };
  const changes = state.changes.slice(state.take);
  const first = changes[0];
  // Another replication may have taken the target further: then what is left here is old.
  const isOvertaken = first !== undefined && compareSequences(first.sequence, position.sequence) <= 0;
  if (first === undefined || isOvertaken) {
    const isLevel = last !== undefined && compareSequences(last.sequence, state.head.sequence) >= 0;
    return isLevel ? { name: "resting", progress } : { name: "reading", progress, failures: 0 };
  }
  // After poison the halves grow back, so one bad change costs a logarithm, not the batch size.
  const take = Math.min(changes.length, BATCH_CHANGES_MAX, state.take * 2);
  return { name: "applying", progress, failures: 0, changes, head: state.head, take, parking: null };
}

/** Halves a poisoned batch down to the one change, then replaces that. */
function afterRefusal(state: ApplyingState, event: FailedEvent): State {
  const change = state.changes[0];
  if (!POISON.has(event.code) || change === undefined) return afterFailure(event, state.failures);
  if (state.take > 1) return { ...state, take: Math.ceil(state.take / 2) };
  // A withdraw is never passed over (I9): the watermark would say that the copy is gone.
  if (!isPut(change) || state.parking !== null) return afterFailure(event, state.failures);
  return { ...state, parking: { code: event.code, detail: event.detail } };
}

function afterFailure({ code, detail }: FailedEvent, failures: number): State {
  if (HALTING.has(code)) return { name: "halted", code, detail };
  return { name: "backing-off", failures: failures + 1, code, detail };
}

/**
 * What goes to the target in this state.
 *
 * A parked put goes as a withdraw: an old version left in its place would be shown although it was replaced, and the
 * replacement may have been an erasure.
 */
export function outgoing(state: ApplyingState): readonly FeedChange[] {
  const changes = state.changes.slice(0, state.take);
  const change = changes[0];
  if (state.parking === null || change === undefined || !isPut(change)) return changes;
  const { epoch, sequence, committed_at, document_id } = change;
  return [{ kind: "withdraw", epoch, sequence, committed_at, document_id, reason: "reclassified" }];
}

/** Whether the change brings a copy. */
export function isPut(change: FeedChange): change is Extract<FeedChange, { kind: "put" | "put-sealed" }> {
  return change.kind === "put" || change.kind === "put-sealed";
}

/** The progress of a state that has one. */
export function progressOf(state: State): Progress | null {
  return "progress" in state ? state.progress : null;
}
