import { expect, it } from "vitest";
import { createPace } from "./pace.ts";

const never = new AbortController().signal;

/** The times of so many turns in a row, of a process that is as busy as it says at each time. */
async function turnsOf(turns: number, utilizationAt: (ms: number) => number): Promise<readonly number[]> {
  let nowMs = 0;
  const pace = createPace({
    now: () => nowMs,
    utilization: () => utilizationAt(nowMs),
    sleep(ms) {
      nowMs += ms;
      return Promise.resolve();
    },
  });
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn += 1) {
    await pace.turn(never);
    times.push(nowMs);
    // What sending it takes.
    nowMs += 1;
  }
  return times;
}

const gaps = (times: readonly number[]): readonly number[] =>
  times.slice(1).map((time, at) => time - (times[at] ?? 0));

it("lets documents go one after the other while the process has time", async () => {
  expect(new Set(gaps(await turnsOf(1_000, () => 0.2)))).toEqual(new Set([1]));
});

it("leaves ever longer gaps while the process is busy, up to one that still lets some go", async () => {
  const busy = gaps(await turnsOf(1_000, () => 0.9));
  expect(busy.slice(0, 50)).toEqual(Array.from({ length: 50 }, () => 1));
  expect(busy).toEqual(busy.toSorted((a, b) => a - b));
  expect(busy.at(-1)).toBe(50);
});

it("closes the gaps again when the process has time", async () => {
  const times = await turnsOf(2_000, (ms) => (ms < 3_000 ? 0.9 : 0.1));
  expect(Math.max(...gaps(times.filter((ms) => ms < 3_000)))).toBe(50);
  expect(gaps(times).at(-1)).toBe(1);
});

it("gives each of many who ask at once a turn of its own", async () => {
  let nowMs = 0;
  const waited: number[] = [];
  const pace = createPace({
    now: () => nowMs,
    utilization: () => 1,
    sleep(ms) {
      waited.push(ms);
      return Promise.resolve();
    },
  });
  for (let window = 1; window <= 8; window += 1) {
    nowMs = window * 1_000;
    await pace.turn(never);
  }
  waited.length = 0;
  await Promise.all(Array.from({ length: 4 }, () => pace.turn(never)));
  expect(waited).toEqual([50, 100, 150, 200]);
});
