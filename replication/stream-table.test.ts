import { describe, expect, it } from "vitest";
import { EVENTS, STATES } from "./stream.fixture.ts";
import { next, type EventName, type StateName } from "./stream.ts";

/** Where each event leads from each state; "=" where it comes too late to mean anything. */
const CELLS: { readonly [S in StateName]: { readonly [E in EventName]: StateName | "=" } } = {
  starting: {
    "watermark-read": "reading",
    "feed-read": "=",
    applied: "=",
    failed: "backing-off",
    "delay-passed": "=",
    stop: "stopped",
  },
  reading: {
    "watermark-read": "=",
    "feed-read": "applying",
    applied: "=",
    failed: "backing-off",
    "delay-passed": "=",
    stop: "stopped",
  },
  waiting: {
    "watermark-read": "=",
    "feed-read": "applying",
    applied: "=",
    failed: "backing-off",
    "delay-passed": "=",
    stop: "stopped",
  },
  resting: {
    "watermark-read": "=",
    "feed-read": "=",
    applied: "=",
    failed: "=",
    "delay-passed": "waiting",
    stop: "stopped",
  },
  applying: {
    "watermark-read": "=",
    "feed-read": "=",
    applied: "resting",
    failed: "backing-off",
    "delay-passed": "=",
    stop: "stopped",
  },
  "backing-off": {
    "watermark-read": "=",
    "feed-read": "=",
    applied: "=",
    failed: "=",
    "delay-passed": "starting",
    stop: "stopped",
  },
  halted: {
    "watermark-read": "=",
    "feed-read": "=",
    applied: "=",
    failed: "=",
    "delay-passed": "=",
    stop: "stopped",
  },
  stopped: {
    "watermark-read": "=",
    "feed-read": "=",
    applied: "=",
    failed: "=",
    "delay-passed": "=",
    stop: "=",
  },
};

const cells = Object.values(STATES).flatMap((state) =>
  Object.values(EVENTS).map((event) => ({ state, event, to: CELLS[state.name][event.name] })),
);

describe("the stream's table", () => {
  it.each(cells)("$state.name + $event.name → $to", ({ state, event, to }) => {
    const after = next(state, event);
    if (to === "=") expect(after).toBe(state);
    else expect(after.name).toBe(to);
  });

  it("changes no state that it was given", () => {
    for (const { state, event } of cells) {
      const before = structuredClone(state);
      next(state, event);
      expect(state).toEqual(before);
    }
  });
});
