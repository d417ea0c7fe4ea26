import { expect, it } from "vitest";
import { runScrub } from "./run-scrub.ts";

/** The times at which pages were read, of a store of so many pages of a hundred points. */
async function readAt({
  pages,
  reads,
  failAt = -1,
  busyUntilMs = 0,
}: {
  readonly pages: number;
  readonly reads: number;
  readonly failAt?: number;
  readonly busyUntilMs?: number;
}) {
  const stopping = new AbortController();
  const times: number[] = [];
  let nowMs = 0;
  await runScrub(
    {
      scrub() {
        times.push(nowMs);
        if (times.length === reads) stopping.abort();
        if (times.length - 1 === failAt) return Promise.reject(new Error("down"));
        return Promise.resolve({ count: 100, isPassOver: times.length % pages === 0 });
      },
      perSecond: 1_000,
      passMsMin: 1_000,
      isBusy: () => nowMs < busyUntilMs,
      now: () => nowMs,
      sleep(ms) {
        nowMs += ms;
        return Promise.resolve();
      },
      failed: () => undefined,
    },
    stopping.signal,
  );
  return times;
}

it("reads a small store once in the shortest time of a pass, at the pace that it may", async () => {
  expect(await readAt({ pages: 2, reads: 5 })).toEqual([250, 350, 1_250, 1_350, 2_250]);
});

it("begins the next pass at once where one takes longer", async () => {
  expect(await readAt({ pages: 20, reads: 21 })).toEqual(
    Array.from({ length: 21 }, (_, page) => 250 + 100 * page),
  );
});

it("waits when the store fails", async () => {
  expect(await readAt({ pages: 20, reads: 3, failAt: 0 })).toEqual([250, 5_250, 5_350]);
});

it("reads at a tenth of its pace while the site is busy", async () => {
  expect(await readAt({ pages: 20, reads: 5, busyUntilMs: 2_000 })).toEqual([
    250, 1_250, 2_250, 2_350, 2_450,
  ]);
});
