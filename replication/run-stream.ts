/** The effects of one target's stream. */
import {
  BATCH_CHANGES_MAX,
  FEED_WAIT_MS_MAX,
  type ApplyResponse,
  type FeedChange,
} from "@kattegat/protocol/changes.ts";
import { KattegatError, isErrorCode } from "@kattegat/protocol/errors.ts";
import { compareFences } from "@kattegat/protocol/sequence.ts";
import { backoffMs } from "./backoff.ts";
import type { FeedAnswer } from "./feed.ts";
import type { ParkedChange } from "./parking.ts";
import type { Primary } from "./primary.ts";
import {
  INITIAL,
  isPut,
  next,
  outgoing,
  type ApplyingState,
  type State,
  type StreamEvent,
} from "./stream.ts";
import type { Target } from "./target.ts";

/** A watermark that waits to be stored is stored this soon: watermark-only writes cost a manifest each. */
const FLUSH_AFTER_MS = 1_000;

export interface StreamOptions {
  readonly target: Target;
  readonly feed: Pick<Primary, "changes">;
  readonly random: () => number;
  /** Resolves after the time, or early and quietly when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly observer: StreamObserver;
}

/** Hears what a stream does; nothing that it does changes the stream. */
export interface StreamObserver {
  moved(state: State, event: StreamEvent): void;
  read(answer: FeedAnswer): void;
  applied(changes: number): void;
  parked(change: Omit<ParkedChange, "at">): void;
  /** The target named as refused what it was not sent as a copy; the stream halts. */
  refusedWrongly(): void;
  /** A thrown value that is no operating error. */
  surprised(error: unknown): void;
}

/** Resolves when the signal aborts, or when the stream halts. Keeps nothing: a new run continues from the target's watermark. */
export async function runStream(options: StreamOptions, signal: AbortSignal): Promise<State> {
  let state: State = INITIAL;
  while (state.name !== "stopped" && state.name !== "halted") {
    const event: StreamEvent = signal.aborted ? { name: "stop" } : await perform(state, options, signal);
    state = next(state, signal.aborted ? { name: "stop" } : event);
    options.observer.moved(state, event);
  }
  return state;
}

async function perform(state: State, options: StreamOptions, signal: AbortSignal): Promise<StreamEvent> {
  try {
    switch (state.name) {
      case "starting":
        return { name: "watermark-read", watermark: await options.target.watermark(signal) };
      case "reading":
      case "waiting":
        return await read(state, options, signal);
      case "applying":
        return await apply(state, options, signal);
      case "resting":
        await options.sleep(options.target.restMs, signal);
        return { name: "delay-passed" };
      case "backing-off":
        await options.sleep(backoffMs({ failures: state.failures, random: options.random }), signal);
        return { name: "delay-passed" };
      case "halted":
      case "stopped":
        return { name: "stop" };
    }
  } catch (error) {
    if (error instanceof KattegatError) return { name: "failed", code: error.code, detail: error.message };
    options.observer.surprised(error);
    return { name: "failed", code: "internal", detail: "An error inside replication; its log says which." };
  }
}

async function read(
  state: Extract<State, { name: "reading" | "waiting" }>,
  { target, feed, observer }: StreamOptions,
  signal: AbortSignal,
): Promise<StreamEvent> {
  const { watermark, position } = state.progress;
  const idleMs = compareFences(position, watermark) > 0 ? FLUSH_AFTER_MS : FEED_WAIT_MS_MAX;
  const waitMs = state.name === "waiting" ? idleMs : 0;
  const answer = await feed.changes(
    { target: target.site, model: target.model, after: position, limit: BATCH_CHANGES_MAX, waitMs },
    signal,
  );
  observer.read(answer);
  return { name: "feed-read", ...answer };
}

async function apply(
  state: ApplyingState,
  { target, observer }: StreamOptions,
  signal: AbortSignal,
): Promise<StreamEvent> {
  const changes = outgoing(state);
  const last = changes.at(-1);
  const { position } = state.progress;
  const { watermark, refused } = await target.apply(
    {
      changes,
      after: position,
      position: last === undefined ? position : { epoch: last.epoch, sequence: last.sequence },
      positionAt: last?.committed_at ?? state.head.at,
      head: state.head,
    },
    signal,
  );
  const { copies, wrong } = joined(refused, changes);
  for (const refusal of copies) observer.parked(refusal);
  if (wrong !== null) {
    // No target of ours says this: its watermark has passed the change already, so only a person can say what it holds (I9).
    observer.refusedWrongly();
    const detail = `${target.site} refused ${wrong.sequence}, which it was not sent as a copy: ${wrong.detail}`;
    return { name: "failed", code: "divergence", detail };
  }
  if (state.parking !== null && last !== undefined)
    observer.parked({ epoch: last.epoch, sequence: last.sequence, ...state.parking });
  observer.applied(changes.length);
  return { name: "applied", watermark };
}

type Refusal = ApplyResponse["refused"][number];

/** An answer names sequences alone: the reign of each is that of the copy that was sent, and of what was not sent none is guessed. */
function joined(
  refused: readonly Refusal[],
  changes: readonly FeedChange[],
): { readonly copies: readonly Omit<ParkedChange, "at">[]; readonly wrong: Refusal | null } {
  const sent = new Map(changes.filter(isPut).map((change) => [change.sequence, change]));
  const copies: Omit<ParkedChange, "at">[] = [];
  let wrong: Refusal | null = null;
  for (const refusal of refused) {
    const { sequence, code, detail } = refusal;
    const change = sent.get(sequence);
    if (change === undefined) wrong ??= refusal;
    else copies.push({ epoch: change.epoch, sequence, code: isErrorCode(code) ? code : "internal", detail });
  }
  return { copies, wrong };
}
