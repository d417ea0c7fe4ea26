import { GARBAGE_AGE_MS_MIN } from "@kattegat/engine/cold/garbage.ts";
import { emptyManifest, keysOf, type ColdManifest } from "@kattegat/engine/cold/manifest.ts";
import { KattegatError } from "@kattegat/protocol/errors.ts";
import { afterEach, describe, expect, it } from "vitest";
import { batchOf, network, never, pair, targetOf } from "./edge-target.fixture.ts";
import type { FakeEdge } from "./fake-edge.fixture.ts";
import { put } from "./fakes.fixture.ts";
import { createRetirement } from "./retirement.ts";
import { closeAll, started } from "./running.fixture.ts";

afterEach(closeAll);

const NEXT = { provider: "hashed", model: "hashed-16-v1", dimensions: 16 } as const;
const FORMER = "learned-8-0123456789abcdef";
const segment = {
  key: "segments/old.seg",
  bytes: 3,
  passages: 1,
  documents: 1,
  checksum: "00000000",
  tombstones: [],
};
const former: ColdManifest = {
  ...emptyManifest({ model: FORMER, dimensions: 8 }),
  generation: 4,
  segments: [segment],
  garbage: [{ key: "segments/older.seg", since: new Date(0).toISOString() }],
};
const formerKeys = [...keysOf(former), "segments/older.seg"];

function giveFormer(edge: FakeEdge): void {
  edge.others.set(FORMER, former);
  for (const key of formerKeys) edge.objects.set(key, new Uint8Array([1]));
}

/** Replication's upkeep goes on until the test ends. */
async function running(clock: { now: () => number } = Date) {
  const { primary, edge } = await pair();
  primary.log.push(put(1));
  primary.models = [network.embedding.model];
  return { primary, edge, start: () => started(primary, targetOf(primary, edge, clock)) };
}

describe("copies of a model that nobody names", () => {
  it("are on the garbage list before their manifest is gone, and are deleted a minute after it (I16)", async () => {
    const clock = { ms: Date.now() };
    const { edge, start } = await running({ now: () => clock.ms });
    giveFormer(edge);
    start();
    await expect.poll(() => edge.others.size, { timeout: 10_000 }).toBe(0);
    const listed = edge.manifest().garbage.map(({ key }) => key);
    expect(listed).toEqual(expect.arrayContaining(formerKeys));
    expect(formerKeys.filter((key) => !edge.objects.has(key))).toEqual([]);
    clock.ms += GARBAGE_AGE_MS_MIN + 1;
    await expect
      .poll(() => formerKeys.filter((key) => edge.objects.has(key)), { timeout: 10_000 })
      .toEqual([]);
    const left = () => edge.manifest().garbage.filter(({ key }) => formerKeys.includes(key));
    await expect.poll(left, { timeout: 10_000 }).toEqual([]);
  });

  it("are dropped by the next run when one was ended between the list and the manifest (I16)", async () => {
    const { edge, start } = await running();
    giveFormer(edge);
    edge.deleted = () => Promise.reject(new KattegatError("unavailable", "killed"));
    const first = start();
    await expect.poll(() => edge.others.size, { timeout: 10_000 }).toBe(0);
    await first.kill();
    // As if the deletion had not come.
    edge.others.set(FORMER, former);
    edge.deleted = () => Promise.resolve();
    start();
    await expect.poll(() => edge.others.size, { timeout: 10_000 }).toBe(0);
    const listed = edge.manifest().garbage.map(({ key }) => key);
    expect(listed.filter((key) => key === segment.key)).toEqual([segment.key]);
  });

  it("stay while the primary names their model, whatever the network file says", async () => {
    const { primary, edge, start } = await running();
    giveFormer(edge);
    primary.models = [network.embedding.model, FORMER];
    start();
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(edge.others.size).toBe(1);
    primary.models = [network.embedding.model];
    primary.log.push(put(2));
    await expect.poll(() => edge.others.size, { timeout: 10_000 }).toBe(0);
  });

  it("are asked to be dropped once for each set of names, again after a failure", async () => {
    const asked: (readonly string[])[] = [];
    let isDone = false;
    let nowMs = 0;
    const retirement = createRetirement({
      network,
      now: () => nowMs,
      retire(kept) {
        asked.push(kept);
        return Promise.resolve(isDone);
      },
    });
    expect(await retirement.round(never)).toBe(false);
    retirement.heard({ models: ["a"] });
    await retirement.round(never);
    isDone = true;
    expect(await retirement.round(never)).toBe(false);
    nowMs += 10_000;
    await retirement.round(never);
    retirement.heard({ models: ["b"] });
    await retirement.round(never);
    nowMs += 10_000;
    expect(await retirement.round(never)).toBe(false);
    const own = network.embedding.model;
    expect(asked).toEqual([
      ["a", own],
      ["a", own],
      ["b", own],
    ]);
  });
});

describe("the cold copies of a model that is being prepared", () => {
  it("say in their manifest from which sequence on they are whole, and hold no vector of another (I18)", async () => {
    const { primary, edge } = await pair();
    const embedding = { ...network.embedding, next: NEXT };
    const target = targetOf(primary, edge, Date, { embedding, model: NEXT });
    expect([target.model, target.isNext]).toEqual([NEXT.model, true]);
    const batch = (sequence: number, wholeAt: string | null) => {
      const made = batchOf([put(sequence, { dimensions: 16 })], NEXT);
      return { ...made, head: { ...made.head, whole_at: wholeAt } };
    };
    await target.apply(batch(1, null), never);
    expect(edge.manifest()).toMatchObject({ model: NEXT.model, dimensions: 16 });
    expect(edge.manifest()).not.toHaveProperty("whole_at");
    await target.apply(batch(2, "2"), never);
    expect(edge.manifest().whole_at).toBe("2");
    const other = target.apply(batchOf([put(3)]), never);
    await expect(other).rejects.toMatchObject({ code: "not_ready" });
  });
});
