/** One state of each name with one event of each. */
import type { FeedHead } from "@kattegat/protocol/changes.ts";
import { put } from "./fakes.fixture.ts";
import type { ApplyingState, EventName, State, StateName, StreamEvent } from "./stream.ts";

export const at = (sequence: number) => ({ epoch: 1, sequence: String(sequence) });
export const head = (sequence: number, epoch = 1): FeedHead => ({
  kind: "head",
  epoch,
  sequence: String(sequence),
  at: "2027-01-01T00:00:00Z",
  model: "hashed-384-v1",
  statistics_version: null,
});
export const progress = { watermark: at(4), position: at(4) };

export const applying: ApplyingState = {
  name: "applying",
  progress,
  failures: 2,
  changes: [put(5), put(6), put(7)],
  head: head(7),
  take: 3,
  parking: null,
};
export const STATES: { readonly [Name in StateName]: Extract<State, { name: Name }> } = {
  starting: { name: "starting", failures: 1 },
  reading: { name: "reading", progress, failures: 1 },
  waiting: { name: "waiting", progress },
  resting: { name: "resting", progress },
  applying,
  "backing-off": { name: "backing-off", failures: 3, code: "timeout", detail: "late" },
  halted: { name: "halted", code: "divergence", detail: "other" },
  stopped: { name: "stopped" },
};
export const EVENTS: { readonly [Name in EventName]: Extract<StreamEvent, { name: Name }> } = {
  "watermark-read": { name: "watermark-read", watermark: at(4) },
  "feed-read": { name: "feed-read", changes: [put(5)], head: head(5) },
  applied: { name: "applied", watermark: at(7) },
  failed: { name: "failed", code: "unavailable", detail: "down" },
  "delay-passed": { name: "delay-passed" },
  stop: { name: "stop" },
};
