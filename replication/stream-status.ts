/** What is known of one target's stream. */
import { changesBehind, compareFences, type Fence } from "@kattegat/protocol/sequence.ts";
import { createParking, type ParkedChange, type Parking } from "./parking.ts";
import type { StreamObserver } from "./run-stream.ts";
import { progressOf, type State } from "./stream.ts";
import type { Target } from "./target.ts";
import type { Timeline } from "./timeline.ts";

export interface StreamStatus {
  readonly site: string;
  readonly model: string;
  readonly is_next: boolean;
  readonly state: State["name"];
  /** False while the target does not answer, whether or not there is anything to apply. */
  readonly answers: boolean;
  readonly watermark: Fence | null;
  /** Up to here, nothing of what was withdrawn is left on the target's disks; null while it does not say. */
  readonly removed: Fence | null;
  readonly lag_changes: number | null;
  readonly lag_ms: number | null;
  readonly applied: number;
  readonly retries: number;
  readonly parked: number;
  readonly parked_newest: readonly ParkedChange[];
  /** Answers in which the target refused what it was not sent as a copy. */
  readonly wrong_refusals: number;
  readonly code: string | null;
  readonly detail: string | null;
}

export interface StreamMonitor extends StreamObserver {
  readonly parking: Pick<Parking, "untold" | "told">;
  status(): StreamStatus;
}

export interface MonitorOptions {
  readonly target: Pick<Target, "site" | "model" | "isNext">;
  readonly timeline: Timeline;
  readonly now: () => number;
  readonly log: {
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
    info(fields: object, message: string): void;
  };
  /** Whether the target answered when it was last asked. */
  readonly answers: () => boolean;
  readonly removed: () => Fence | null;
  /** Hears each watermark that the target has stored, and each change of health. */
  readonly changed: () => void;
}

/**
 * Watches a stream.
 *
 * `lag_ms` is 0 when the stored watermark is at the known head, else the age of the first commit after it that any
 * stream has seen: a lower bound that is exact to within one feed answer.
 */
export function createStreamMonitor({
  target,
  timeline,
  now,
  log,
  answers,
  removed,
  changed,
}: MonitorOptions): StreamMonitor {
  const { site, model, isNext } = target;
  const about = logFields(target);
  const parking: Parking = createParking();
  let state: State = { name: "starting", failures: 0 };
  let watermark: Fence | null = null;
  const counts = { applied: 0, retries: 0, wrong_refusals: 0 };
  return {
    parking,
    moved(to, event) {
      const before = { name: state.name, watermark };
      state = to;
      watermark = progressOf(to)?.watermark ?? watermark;
      if (to.name === "backing-off" && event.name === "failed") {
        counts.retries += 1;
        log.warn({ ...about, code: to.code, detail: to.detail, failures: to.failures }, "retrying");
      }
      if (to.name === "halted") log.error({ ...about, code: to.code, detail: to.detail }, "halted");
      const isStored =
        watermark !== null && (before.watermark === null || compareFences(watermark, before.watermark) !== 0);
      if (isStored || isMoving(before.name) !== isMoving(to.name)) changed();
    },
    read({ changes, head }) {
      const first = changes[0];
      const last = changes.at(-1);
      if (first !== undefined) timeline.observe(first.sequence, first.committed_at);
      if (last !== undefined) timeline.observe(last.sequence, last.committed_at);
      timeline.observe(head.sequence, head.at);
    },
    applied(changes) {
      counts.applied += changes;
    },
    parked(change) {
      parking.park({ ...change, at: new Date(now()).toISOString() });
      log.error({ ...about, sequence: change.sequence, code: change.code, detail: change.detail }, "parked");
    },
    refusedWrongly() {
      counts.wrong_refusals += 1;
    },
    surprised(error) {
      log.error({ ...about, err: error }, "unexpected");
    },
    status() {
      return {
        site,
        model,
        is_next: isNext,
        state: state.name,
        answers: answers(),
        watermark,
        removed: removed(),
        ...lagOf(watermark, timeline, now()),
        ...counts,
        parked: parking.count,
        parked_newest: parking.newest,
        code: "code" in state ? state.code : null,
        detail: "detail" in state ? state.detail : null,
      };
    },
  };
}

/** What names a target in the log; the model only where there are copies of two. */
export function logFields({ site, model, isNext }: MonitorOptions["target"]): object {
  return isNext ? { target: site, model } : { target: site };
}

/** Whether the target takes copies. */
export function isHealthy({ state, answers }: Pick<StreamStatus, "state" | "answers">): boolean {
  return answers && isMoving(state);
}

function isMoving(state: State["name"]): boolean {
  return state !== "backing-off" && state !== "halted" && state !== "stopped";
}

function lagOf(
  watermark: Fence | null,
  timeline: Timeline,
  nowMs: number,
): Pick<StreamStatus, "lag_changes" | "lag_ms"> {
  const head = timeline.head();
  if (watermark === null || head === null) return { lag_changes: null, lag_ms: null };
  const lag_changes = changesBehind(head, watermark.sequence);
  const firstMs = timeline.firstAfterMs(watermark.sequence);
  return { lag_changes, lag_ms: lag_changes === 0 || firstMs === null ? 0 : Math.max(0, nowMs - firstMs) };
}
