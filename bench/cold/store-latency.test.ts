import { describe, expect, it } from "vitest";
import { createConnectionLimit, roundMs } from "./connection-limit.ts";
import { WAITING_CONNECTIONS_MAX } from "@kattegat/edge/cold/connections.ts";
import { createSlowStore } from "./slow-store.ts";
import { createStoreLatency, fitShiftedLogNormal, OBJECT_STORE_MS } from "./store-latency.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

describe("the latency of the object store", () => {
  it("has exactly the published percentiles", () => {
    const { shift, mu, sigma } = fitShiftedLogNormal(OBJECT_STORE_MS);
    const quantile = (z: number): number => shift + Math.exp(mu + sigma * z);
    expect(quantile(0)).toBeCloseTo(63, 9);
    expect(quantile(2.326_347_874_040_841)).toBeCloseTo(78, 9);
    expect(quantile(3.090_232_306_167_813)).toBeCloseTo(118, 9);
  });

  it("gives them back in a sample, the same for the same seed", () => {
    const sample = (seed: number, count: number): number[] => {
      const latencyMs = createStoreLatency({ random: seededRandom(seed) });
      return Array.from({ length: count }, latencyMs);
    };
    const count = 400_000;
    const sorted = sample(1, count).sort((a, b) => a - b);
    expect(Math.abs((sorted[count * 0.5] ?? 0) - 63)).toBeLessThan(0.05);
    expect(Math.abs((sorted[count * 0.99] ?? 0) - 78)).toBeLessThan(1);
    expect(Math.abs((sorted[count * 0.999] ?? 0) - 118)).toBeLessThan(8);
    expect(sorted[0]).toBeGreaterThan(60);
    expect(sample(2, 10)).toEqual(sample(2, 10));
    expect(sample(2, 10)).not.toEqual(sample(3, 10));
  });

  it("refuses percentiles that no such distribution has", () => {
    expect(() => fitShiftedLogNormal({ p50: 63, p99: 78, p999: 79 })).toThrow(RangeError);
    expect(() => fitShiftedLogNormal({ p50: 63, p99: 63, p999: 79 })).toThrow(RangeError);
  });
});

/** Runs tasks on a clock of its own: sleepers wake in the order of their times. */
function createClock(): { sleep(ms: number): Promise<void>; run(): Promise<number> } {
  const sleepers: { atMs: number; wake: () => void }[] = [];
  let nowMs = 0;
  return {
    sleep: (ms) => new Promise((wake) => sleepers.push({ atMs: nowMs + ms, wake })),
    async run() {
      const settle = async (): Promise<void> => {
        for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      };
      await settle();
      while (sleepers.length > 0) {
        sleepers.sort((a, b) => a.atMs - b.atMs);
        const next = sleepers.shift();
        nowMs = next?.atMs ?? nowMs;
        next?.wake();
        await settle();
      }
      return nowMs;
    },
  };
}

describe("the limit of waiting connections", () => {
  it.each([
    [6, 10],
    [7, 20],
    [18, 30],
    [40, 70],
  ])("makes %i reads of 10 ms take %i ms", async (reads, expectedMs) => {
    const clock = createClock();
    const get = createSlowStore({
      latencyMs: () => 10,
      sleep: clock.sleep,
      connections: createConnectionLimit(WAITING_CONNECTIONS_MAX),
    });
    const read = Promise.all(Array.from({ length: reads }, (_, at) => get(() => Promise.resolve(at))));
    expect(await clock.run()).toBe(expectedMs);
    expect(await read).toEqual(Array.from({ length: reads }, (_, at) => at));
    expect(roundMs(new Array<number>(reads).fill(10), WAITING_CONNECTIONS_MAX)).toBe(expectedMs);
  });

  it("can be switched off", async () => {
    const clock = createClock();
    const limit = createConnectionLimit(null);
    const read = Promise.all(Array.from({ length: 40 }, () => limit.run(() => clock.sleep(10))));
    expect(await clock.run()).toBe(10);
    await read;
    expect(roundMs(new Array<number>(40).fill(10), null)).toBe(10);
    expect(roundMs([], null)).toBe(0);
  });

  it("predicts rounds of uneven reads", async () => {
    const latencyMs = createStoreLatency({ random: seededRandom(4) });
    const waits = Array.from({ length: 25 }, latencyMs);
    const clock = createClock();
    const limit = createConnectionLimit(WAITING_CONNECTIONS_MAX);
    const read = Promise.all(waits.map((ms) => limit.run(() => clock.sleep(ms))));
    expect(await clock.run()).toBeCloseTo(roundMs(waits, WAITING_CONNECTIONS_MAX), 9);
    await read;
  });

  it("holds in every round, not only in the first", async () => {
    const limit = createConnectionLimit(2);
    let waiting = 0;
    let waitingMost = 0;
    for (let round = 0; round < 3; round += 1)
      await Promise.all(
        Array.from({ length: 7 }, () =>
          limit.run(async () => {
            waiting += 1;
            waitingMost = Math.max(waitingMost, waiting);
            await Promise.resolve();
            waiting -= 1;
          }),
        ),
      );
    expect(waitingMost).toBe(2);
  });

  it("frees the place of a read that fails", async () => {
    const limit = createConnectionLimit(1);
    const failed = limit.run(() => Promise.reject(new Error("throttled")));
    const next = limit.run(() => Promise.resolve("read"));
    await expect(failed).rejects.toThrow("throttled");
    expect(await next).toBe("read");
  });
});
