import { describe, expect, it } from "vitest";
import { createBlockCache } from "../cold/block-cache.ts";
import { nearestAncestors } from "./ancestors.ts";
import { createHeat } from "./heat.ts";
import { planWarming } from "./plan.ts";
import { parseQueryLog, type LogRecord } from "./query-log.ts";
import { replay, type ReplayPolicy } from "./replay.ts";
import { syntheticLog } from "./synthetic-log.ts";
import { initialWarming, next, type WarmingEvent, type WarmingState } from "./warming.ts";
import { createWeek, HOUR_MS } from "./week.ts";
import { seededRandom } from "@kattegat/engine/seeded-random.ts";

describe("heat", () => {
  const halfLifeMs = 1_000;

  it("halves with every half-life", () => {
    const heat = createHeat({ countersMax: 10, halfLifeMs });
    heat.add("old", 0);
    heat.add("old", 0);
    heat.add("new", 2_000);
    expect(heat.hottest(2_000)).toEqual([
      { key: "new", heat: 1 },
      { key: "old", heat: 0.5 },
    ]);
  });

  it("stays exact after more half-lives than a double has powers", () => {
    const heat = createHeat({ countersMax: 10, halfLifeMs: 1 });
    for (let atMs = 0; atMs < 5_000; atMs += 1) heat.add("always", atMs);
    expect(heat.hottest(4_999)[0]?.heat).toBeCloseTo(2, 9);
  });

  it("keeps every key above 1/m of the askings in m counters, overrated by the least counter at most", () => {
    const countersMax = 50;
    const heat = createHeat({ countersMax, halfLifeMs: Infinity });
    const random = seededRandom(3);
    const truth = new Map<string, number>();
    const total = 20_000;
    for (let step = 0; step < total; step += 1) {
      const key = `k${Math.floor(1_000 * random() ** 4)}`;
      truth.set(key, (truth.get(key) ?? 0) + 1);
      heat.add(key, 0);
      expect(heat.size).toBeLessThanOrEqual(countersMax);
    }
    const counted = new Map(heat.hottest(0).map(({ key, heat: value }) => [key, value]));
    const least = Math.min(...counted.values());
    for (const [key, count] of truth) {
      if (count > total / countersMax) expect(counted.has(key), key).toBe(true);
      const value = counted.get(key);
      if (value === undefined) continue;
      expect(value).toBeGreaterThanOrEqual(count);
      expect(value - count).toBeLessThanOrEqual(least);
    }
  });

  it("goes over to the lists of a new generation", () => {
    const heat = createHeat({ countersMax: 3, halfLifeMs });
    for (let use = 0; use < 4; use += 1) heat.add("1/0", 0);
    heat.add("1/1", 0);
    heat.rename(["2/0", "2/1", "2/2", "2/3"], (key) =>
      key === "2/3" ? "1/9" : key === "2/2" ? "1/1" : "1/0",
    );
    expect(heat.hottest(0)).toEqual([
      { key: "2/0", heat: 4 },
      { key: "2/1", heat: 4 },
      { key: "2/2", heat: 1 },
    ]);
  });
});

describe("the ancestor of a list", () => {
  it("is the list whose centroid is nearest", () => {
    const random = seededRandom(5);
    const dimensions = 70;
    const draw = (count: number): Float32Array =>
      Float32Array.from({ length: count * dimensions }, () => random() - 0.5);
    const [fresh, old] = [draw(40), draw(30)];
    const distance = (a: number, b: number): number => {
      let sum = 0;
      for (let i = 0; i < dimensions; i += 1)
        sum += ((fresh[a * dimensions + i] ?? 0) - (old[b * dimensions + i] ?? 0)) ** 2;
      return sum;
    };
    const expected = Array.from({ length: 40 }, (_, a) =>
      Array.from({ length: 30 }, (_unused, b) => b).reduce((best, b) =>
        distance(a, b) < distance(a, best) ? b : best,
      ),
    );
    expect([...nearestAncestors(fresh, old, dimensions)]).toEqual(expected);
  });
});

describe("a colo's week", () => {
  const monday = 4 * 24;

  it("has a busy stretch that begins at the same hour each day, foreseen one hour before", () => {
    const week = createWeek();
    for (let day = 0; day < 14; day += 1)
      for (const hour of [8, 9, 10, 11])
        for (let query = 0; query < 20; query += 1) week.add((day * 24 + hour) * HOUR_MS);
    const foreseen = Array.from({ length: 24 }, (_, hour) => hour).filter((hour) =>
      week.isBeforeBusy((monday + 14 * 24 + hour) * HOUR_MS),
    );
    expect(foreseen).toEqual([7]);
  });

  it("has no busy hours when it is asked evenly, or hardly ever", () => {
    const even = createWeek();
    for (let hour = 0; hour < 168; hour += 1)
      for (let query = 0; query < 20; query += 1) even.add(hour * HOUR_MS);
    const rare = createWeek();
    for (let query = 0; query < 20; query += 1) rare.add(8 * HOUR_MS);
    for (let hour = 0; hour < 168; hour += 1) {
      expect(even.isBeforeBusy(hour * HOUR_MS)).toBe(false);
      expect(rare.isBeforeBusy(hour * HOUR_MS)).toBe(false);
    }
  });

  it("forgets a habit that ended", () => {
    const week = createWeek();
    for (let query = 0; query < 1_000; query += 1) week.add(8 * HOUR_MS);
    for (let after = 1; after <= 12; after += 1)
      for (let query = 0; query < 300; query += 1) week.add((after * 168 + 20) * HOUR_MS);
    expect(week.isBeforeBusy(7 * HOUR_MS)).toBe(false);
    expect(week.isBeforeBusy(19 * HOUR_MS)).toBe(true);
  });
});

describe("a plan of warming", () => {
  const budget = { bytesMax: 100, readsMax: 3, heatMin: 2 };
  const bytesOf = (key: string): number | null => (key === "gone" ? null : Number(key.split("-")[1]));

  it("reads the most askings for a byte first, within its bytes", () => {
    const hottest = [
      { key: "large-90", heat: 50 },
      { key: "a-20", heat: 40 },
      { key: "b-30", heat: 30 },
      { key: "gone", heat: 20 },
    ];
    expect(planWarming(hottest, bytesOf, budget)).toEqual(["a-20", "b-30"]);
  });

  it("reads no more pieces than it may, and none that hardly anyone wants", () => {
    const hottest = ["a-1", "b-1", "c-1", "d-1"].map((key) => ({ key, heat: 5 }));
    expect(planWarming(hottest, bytesOf, budget)).toEqual(["a-1", "b-1", "c-1"]);
    expect(planWarming([{ key: "e-1", heat: 1.9 }], bytesOf, budget)).toEqual([]);
  });
});

describe("the state of warming", () => {
  const idle = initialWarming(1);
  const due: WarmingState = { kind: "due", reason: "busy-hour", generation: 1, warmedHour: 7 };
  const running: WarmingState = { ...due, kind: "running", isOutdated: false };
  const outdated: WarmingState = { ...running, generation: 2, isOutdated: true };
  const published: WarmingEvent = { kind: "published", generation: 2 };
  const tick = (hour: number, isBeforeBusy: boolean): WarmingEvent => ({
    kind: "ticked",
    hour,
    isBeforeBusy,
  });

  it.each<[string, WarmingState, WarmingEvent, WarmingState]>([
    ["idle, published", idle, published, { ...idle, kind: "due", reason: "generation", generation: 2 }],
    ["idle, ticked before a busy hour", idle, tick(7, true), due],
    ["idle, ticked otherwise", idle, tick(7, false), idle],
    [
      "idle, ticked twice in that hour",
      { ...idle, warmedHour: 7 },
      tick(7, true),
      { ...idle, warmedHour: 7 },
    ],
    ["idle, started", idle, { kind: "started" }, idle],
    ["idle, ended", idle, { kind: "ended" }, idle],
    ["due, published", due, published, { ...due, reason: "generation", generation: 2 }],
    ["due, ticked", due, tick(8, true), due],
    ["due, started", due, { kind: "started" }, running],
    ["due, ended", due, { kind: "ended" }, due],
    ["running, published", running, published, outdated],
    ["running, ticked", running, tick(8, true), running],
    ["running, started", running, { kind: "started" }, running],
    ["running, ended", running, { kind: "ended" }, { ...idle, warmedHour: 7 }],
    ["outdated, ended", outdated, { kind: "ended" }, { ...due, reason: "generation", generation: 2 }],
    ["any, published again", outdated, published, outdated],
    ["any, published older", outdated, { kind: "published", generation: 1 }, outdated],
  ])("follows its table: %s", (_name, state, event, expected) => {
    expect(next(state, event)).toEqual(expected);
  });
});

describe("a query log", () => {
  it("is read from lines, and a bad line is named", () => {
    const lines = ['{"at":1,"colo":"CPH","lists":[1,2]}', "", '{"at":2,"generation":2,"ancestors":[0]}'];
    expect([...parseQueryLog(lines)]).toHaveLength(2);
    expect(() => [...parseQueryLog([...lines, '{"at":3}'])]).toThrow(/line 4: expected/);
  });

  it("is made up the same for the same seed, in the order of time", () => {
    const make = (seed: number): LogRecord[] => [
      ...syntheticLog({
        lists: 100,
        days: 3,
        queriesADay: 100,
        colos: ["CPH", "IAD"],
        zipf: 1,
        drift: 0.1,
        generationDays: 1,
        random: seededRandom(seed),
      }),
    ];
    const log = make(1);
    expect(log).toEqual(make(1));
    expect(log).not.toEqual(make(2));
    expect(log.map(({ at }) => at)).toEqual(log.map(({ at }) => at).toSorted((a, b) => a - b));
    expect(log.filter((record) => "generation" in record)).toHaveLength(2);
  });
});

describe("a replay", () => {
  const options = { cacheBytesMax: 100, bytesOfList: () => 10, idleMsMax: 2 * HOUR_MS };
  const cold: ReplayPolicy = { createCache: createBlockCache, warming: null };
  const warmed: ReplayPolicy = {
    createCache: createBlockCache,
    warming: { budget: { bytesMax: 100, readsMax: 10, heatMin: 1 } },
  };
  const asked = (at: number, ...lists: number[]): LogRecord => ({ at, colo: "CPH", lists });

  it("counts each list as read or held, colo by colo", () => {
    const log = [asked(0, 1, 2), asked(1, 2, 3), { at: 2, colo: "IAD", lists: [1] }, asked(3, 1, 2, 3)];
    expect(replay(log, cold, options)).toEqual({
      reads: 8,
      hits: 4,
      missedBytes: 40,
      warmedReads: 0,
      warmedBytes: 0,
      queries: 4,
      wholeHits: 1,
    });
  });

  it("forgets an idle isolate and renamed lists; warming brings the renamed ones back", () => {
    const log: LogRecord[] = [
      asked(0, 1),
      asked(1, 1),
      { at: 2, generation: 2, ancestors: [1, 0] },
      asked(3, 0),
    ];
    expect(replay(log, cold, options)).toMatchObject({ hits: 1, warmedReads: 0 });
    expect(replay(log, warmed, options)).toMatchObject({ hits: 2, warmedReads: 1 });
    expect(replay([asked(0, 1), asked(3 * HOUR_MS, 1)], cold, options)).toMatchObject({ hits: 0 });
    expect(replay([asked(0, 1), asked(HOUR_MS, 1)], cold, options)).toMatchObject({ hits: 1 });
  });

  it("warms in the hour before the office opens, once it has seen a week", () => {
    const log: LogRecord[] = [];
    for (let day = 0; day < 10; day += 1)
      for (const hour of [8, 9])
        for (let query = 0; query < 30; query += 1)
          log.push(asked((day * 24 + hour + query / 30) * HOUR_MS, query % 5));
    const without = replay(log, cold, options);
    const result = replay(log, warmed, options);
    expect(without.reads - without.hits).toBe(50);
    expect(result.reads - result.hits).toBe(35);
    expect(result.warmedReads).toBe(15);
    expect(result.wholeHits).toBeGreaterThan(without.wholeHits);
  });
});
