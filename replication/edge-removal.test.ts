import { setTimeout } from "node:timers/promises";
import { GARBAGE_AGE_MS_MIN } from "@kattegat/engine/cold/garbage.ts";
import { compareSequences } from "@kattegat/protocol/sequence.ts";
import { afterEach, describe, expect, it } from "vitest";
import { network, pair, targetOf } from "./edge-target.fixture.ts";
import type { FakeEdge } from "./fake-edge.fixture.ts";
import { put, withdraw, type FakePrimary } from "./fakes.fixture.ts";
import { closeAll, started } from "./running.fixture.ts";

afterEach(closeAll);

const WAIT_MS_MAX = 30_000;
const CANARY = "kanariefuglen";
const MINUTE = 60_000;
const ASKED_AGAIN_MS = 3_000;

function hasCanary(edge: FakeEdge): boolean {
  return [...edge.objects.values()].some((bytes) => Buffer.from(bytes).includes(CANARY));
}

/** Whether replication has told the primary that whatever was withdrawn up to the change has left the zone. */
function hasRemoved({ confirmed }: FakePrimary, sequence: number): boolean {
  const removed = confirmed.at(-1)?.removed;
  return removed !== undefined && compareSequences(removed.sequence, String(sequence)) >= 0;
}

async function running(options: { readonly basePassagesMin?: number } = {}) {
  const { primary, edge } = await pair();
  const clock = { ms: Date.now() };
  primary.models = [network.embedding.model];
  started(primary, targetOf(primary, edge, { now: () => clock.ms }, options));
  async function applied(sequence: number): Promise<void> {
    await expect
      .poll(() => edge.published.at(-1)?.watermark.sequence, { timeout: WAIT_MS_MAX })
      .toBe(String(sequence));
  }
  async function removed(sequence: number): Promise<void> {
    await expect.poll(() => hasRemoved(primary, sequence), { timeout: WAIT_MS_MAX }).toBe(true);
  }
  return { primary, edge, clock, applied, removed };
}

describe("what a zone says of withdrawn documents (I24)", () => {
  it("says that one is removed once no object in its bucket holds it, and no location may", async () => {
    const { primary, edge, clock, applied, removed } = await running();
    primary.log.push(put(1, { id: "a", text: CANARY }), put(2), put(3), put(4));
    await applied(4);
    // The key that is reserved for the next segment may never be used: then it must not be waited for longer than a segment.
    const reserved = edge.manifest().garbage.filter(({ key }) => key.startsWith("segments/"));
    expect(reserved.map(({ cache_seconds: noted }) => noted)).toEqual([network.limits.cache_seconds_max]);
    primary.log.push(withdraw(5, "a"));
    await applied(5);
    expect(await edge.visible()).not.toContain("a");
    expect(hasCanary(edge)).toBe(true);
    await removed(4);
    expect(hasRemoved(primary, 5)).toBe(false);
    clock.ms += 3 * MINUTE;
    await expect
      .poll(() => edge.manifest().segments.flatMap(({ tombstones }) => tombstones), { timeout: WAIT_MS_MAX })
      .toEqual([]);
    expect(hasCanary(edge)).toBe(true);
    clock.ms += GARBAGE_AGE_MS_MIN;
    await expect.poll(() => hasCanary(edge), { timeout: WAIT_MS_MAX }).toBe(false);
    expect(hasRemoved(primary, 5)).toBe(false);
    clock.ms += 6 * MINUTE;
    await removed(5);
    expect((await edge.visible()).size).toBe(3);
  });

  it.each([
    { isCacheHeeded: true, waitHours: 24 },
    { isCacheHeeded: false, waitHours: 168 },
  ])(
    "makes a base anew that has had a dead document for its time, and waits $waitHours h until nobody has pieces of the one before, where its edge heeds the age that is noted: $isCacheHeeded",
    async ({ isCacheHeeded, waitHours }) => {
      const { primary, edge, clock, applied, removed } = await running({ basePassagesMin: 20 });
      edge.isCacheHeeded = isCacheHeeded;
      for (let sequence = 1; sequence <= 40; sequence += 1) primary.log.push(put(sequence));
      await expect.poll(() => edge.published.at(-1)?.base?.documents, { timeout: WAIT_MS_MAX }).toBe(40);
      const former = edge.manifest().base?.key ?? "";
      const keys = (): string[] => [...edge.objects.keys()].filter((key) => key.startsWith(`${former}.`));
      primary.log.push(withdraw(41, "d7"));
      await applied(41);
      expect(edge.manifest().base).toMatchObject({ key: former, dead: 1 });
      clock.ms += 5 * MINUTE;
      await expect.poll(() => edge.manifest().base?.key, { timeout: WAIT_MS_MAX }).not.toBe(former);
      expect(edge.manifest().base).toMatchObject({ documents: 39, dead: 0 });
      expect(keys()).not.toEqual([]);
      clock.ms += GARBAGE_AGE_MS_MIN;
      await expect.poll(keys, { timeout: WAIT_MS_MAX }).toEqual([]);
      clock.ms += (waitHours - 1) * 60 * MINUTE;
      primary.log.push(put(42));
      await applied(42);
      // By then replication has asked again what is removed.
      await setTimeout(ASKED_AGAIN_MS);
      expect(hasRemoved(primary, 41)).toBe(false);
      clock.ms += (2 + waitHours / 16) * 60 * MINUTE;
      await removed(41);
    },
  );
});
