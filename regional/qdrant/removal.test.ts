import { describe, expect, it } from "vitest";
import { isHurried, nextWaiting, type Waiting } from "./removal.ts";

const at = (sequence: number) => ({ epoch: 1, sequence: String(sequence) });
const seen = (sequence: number, segments: Readonly<Record<string, number>>) => ({
  segments: Object.entries(segments).map(([uuid, deleted]) => ({ uuid, deleted })),
  watermark: at(sequence),
  nowMs: 0,
});

/** What is said to be removed after each look, one after the other. */
function removedOf(looks: readonly ReturnType<typeof seen>[]): (string | null)[] {
  let waiting: Waiting | null = null;
  return looks.map((look) => {
    const next = nextWaiting(waiting, look);
    ({ waiting } = next);
    return next.removed?.sequence ?? null;
  });
}

describe("what Qdrant says of withdrawn documents (I24)", () => {
  it("is that all are removed, where no segment has a deleted point", () => {
    expect(removedOf([seen(7, { a: 0, b: 0 }), seen(9, {})])).toEqual(["7", "9"]);
  });

  it("is nothing before every segment that had one is replaced", () => {
    const looks = [seen(7, { a: 2, b: 1 }), seen(8, { a: 2, c: 0 }), seen(9, { c: 0, d: 0 })];
    expect(removedOf(looks)).toEqual([null, null, "9"]);
  });

  it("is that those before are removed, while others are withdrawn without a pause", () => {
    // b was begun when a still had its points: it may have carried them over, as marks.
    const looks = [seen(7, { a: 1 }), seen(20, { b: 3 }), seen(30, { b: 4 }), seen(40, { c: 2 })];
    expect(removedOf(looks)).toEqual([null, null, null, "7"]);
    expect(removedOf([...looks, seen(50, { d: 1 }), seen(60, { e: 1 })]).slice(4)).toEqual([null, "40"]);
  });
});

it("hurries Qdrant for ten minutes of every hour, once a minute of deletions is gathered", () => {
  const limits = { dead_seconds_max: 3_600, cache_seconds_max: 1 };
  const waiting: Waiting = { upTo: at(1), segments: new Set(["a"]), sinceMs: 0, isSecond: false };
  const hurried = [59, 60, 600, 700, 3_600, 3_660, 4_300].filter((seconds) =>
    isHurried(waiting, { nowMs: seconds * 1_000, limits }),
  );
  expect(hurried).toEqual([60, 600, 3_660]);
  expect(isHurried(waiting, { nowMs: 2_000, limits: { ...limits, dead_seconds_max: 2 } })).toBe(true);
  expect(isHurried(null, { nowMs: 1e9, limits })).toBe(false);
});
