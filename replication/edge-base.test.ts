import { GARBAGE_AGE_MS_MIN } from "@kattegat/engine/cold/garbage.ts";
import { keysOf } from "@kattegat/engine/cold/manifest.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { afterEach, describe, expect, it } from "vitest";
import { batchOf, expected, never, pair, targetOf } from "./edge-target.fixture.ts";
import { put, skip, withdraw } from "./fakes.fixture.ts";
import { closeAll, closeLater, started } from "./running.fixture.ts";
import { sleep } from "./sleep.ts";

afterEach(closeAll);

const WAIT_MS_MAX = 60_000;

describe("the base of a cold tier", () => {
  it("takes in the tail again and again, and shows each document's last version (I3, I8, I9)", async () => {
    const { primary, edge } = await pair();
    started(primary, targetOf(primary, edge, Date, { basePassagesMin: 300 }));
    const bases = new Set<string>();
    edge.after = ({ base }) => {
      if (base !== null) bases.add(base.key);
    };
    for (let sequence = 1; sequence <= 4_000; sequence += 1) {
      const id = `d${(sequence * 7) % 900}`;
      primary.log.push(
        sequence % 11 === 0
          ? withdraw(sequence, id)
          : sequence % 5 === 0
            ? skip(sequence)
            : put(sequence, { id }),
      );
      if (sequence % 100 === 0) await sleep(20, never);
      if (sequence === 2_000)
        await expect.poll(() => bases.size, { timeout: WAIT_MS_MAX }).toBeGreaterThanOrEqual(1);
    }
    await expect.poll(() => edge.manifest().watermark.sequence, { timeout: WAIT_MS_MAX }).toBe("4000");
    expect(await edge.visible()).toEqual(expected(primary.log));
    await expect.poll(() => bases.size, { timeout: WAIT_MS_MAX }).toBeGreaterThanOrEqual(2);
    expect(await edge.visible()).toEqual(expected(primary.log));
  });

  it("hides what batches hid, replaced or withdrew while it was made (I9)", async () => {
    const { primary, edge } = await pair();
    const target = targetOf(primary, edge, Date, { basePassagesMin: 4 });
    for (const sequence of [1, 2, 3, 4]) await target.apply(batchOf([put(sequence)]), never);
    let isFirst = true;
    // A volume of the base is up, the manifest that names it is not: the batch comes between.
    edge.uploaded = async () => {
      if (!isFirst || ![...edge.objects.keys()].some((key) => key.startsWith("bases/"))) return;
      isFirst = false;
      await target.apply(batchOf([withdraw(5, "d1"), put(6, { id: "d2" }), put(7)]), never);
    };
    const stopping = new AbortController();
    closeLater(() => Promise.resolve(stopping.abort()));
    const running = target.upkeep?.run(stopping.signal);
    await expect.poll(() => edge.manifest().base?.dead, { timeout: WAIT_MS_MAX }).toBe(2);
    expect(isFirst).toBe(false);
    const copies = new Map(Object.entries({ d2: "6", d3: "3", d4: "4", d7: "7" }));
    expect(await edge.visible()).toEqual(copies);
    await target.apply(batchOf([withdraw(8, "d3"), put(9, { id: "d4" })]), never);
    copies.delete("d3");
    copies.set("d4", "9");
    expect(await edge.visible()).toEqual(copies);
    // Another process knows the base by its objects alone.
    stopping.abort();
    await running;
    const other = targetOf(primary, edge);
    await other.apply(batchOf([withdraw(10, "d4"), put(11, { id: "d2" })]), never);
    copies.delete("d4");
    copies.set("d2", "11");
    expect(await edge.visible()).toEqual(copies);
  });

  it("deletes no object before the last reader of its generation has ended: a minute after it (I16)", async () => {
    const { primary, edge } = await pair();
    let nowMs = Date.now();
    const target = targetOf(primary, edge, { now: () => nowMs }, { basePassagesMin: 8 });
    /** When each object was in force for the last time. */
    const lastMs = new Map<string, number>();
    const ages: number[] = [];
    edge.after = (manifest) => {
      const named = new Set(keysOf(manifest));
      for (const [key, ms] of lastMs) if (ms === Infinity && !named.has(key)) lastMs.set(key, nowMs);
      for (const key of named) lastMs.set(key, Infinity);
    };
    edge.deleted = (key) => {
      const ms = lastMs.get(key);
      if (ms !== undefined) ages.push(nowMs - ms);
      return Promise.resolve();
    };
    const stopping = new AbortController();
    const running = target.upkeep?.run(stopping.signal);
    closeLater(async () => {
      stopping.abort();
      await running;
    });
    const isSeen = (): boolean => ages.length >= 10 && edge.manifest().base !== null;
    for (let sequence = 1; !isSeen() && sequence < 200; sequence += 1) {
      await target.apply(batchOf([put(sequence, { id: `d${sequence % 30}` })]), never);
      nowMs += 7_000;
      await sleep(150, never);
    }
    expect(ages.length).toBeGreaterThanOrEqual(10);
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(GARBAGE_AGE_MS_MIN);
    expect(edge.manifest().base).not.toBeNull();
  });

  it("leaves the generation before it as it was, whichever of its objects was not stored (I12)", async () => {
    const { primary, edge } = await pair();
    for (let failing = 1; failing <= 5; failing += 1) {
      const target = targetOf(primary, edge, Date, { basePassagesMin: 4 });
      const from = failing * 10;
      for (const at of [1, 2, 3, 4]) await target.apply(batchOf([put(from + at)]), never);
      const before = await edge.visible();
      let uploads = 0;
      edge.uploaded = () => {
        uploads += 1;
        if (uploads === failing) throw new KattegatError("unavailable", "the crash");
        return Promise.resolve();
      };
      const stopping = new AbortController();
      const running = target.upkeep?.run(stopping.signal);
      await expect.poll(() => uploads, { timeout: WAIT_MS_MAX }).toBeGreaterThanOrEqual(failing);
      await sleep(50, never);
      stopping.abort();
      await running;
      expect(await edge.visible()).toEqual(before);
    }
    edge.uploaded = () => Promise.resolve();
  });
});
