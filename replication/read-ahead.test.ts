import { KattegatError } from "@kattegat/protocol/errors.ts";
import { expect, it } from "vitest";
import { put } from "./fakes.fixture.ts";
import type { FeedAnswer } from "./feed.ts";
import { createReadAhead } from "./read-ahead.ts";
import { at, head } from "./stream.fixture.ts";

const { signal } = new AbortController();
/** Ends every wait that has not been given up. */
let passTime = (): void => undefined;
const sleep = (_ms: number, until: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    until.addEventListener("abort", () => resolve(), { once: true });
    passTime = resolve;
  });

/** A log of so many changes in pages of two. */
function feedOf(changes: number) {
  const asked: string[] = [];
  const feed = createReadAhead(
    {
      changes: ({ after }): Promise<FeedAnswer> => {
        asked.push(after.sequence);
        const from = Number(after.sequence);
        const page = [from + 1, from + 2].filter((sequence) => sequence <= changes);
        return Promise.resolve({ changes: page.map((sequence) => put(sequence)), head: head(changes) });
      },
    },
    sleep,
  );
  const read = async (after: number): Promise<readonly string[]> => {
    const request = { target: "t", model: "m", after: at(after), limit: 2, waitMs: 0 };
    return (await feed.changes(request, signal)).changes.map(({ sequence }) => sequence);
  };
  return { asked, read };
}

it("asks for the next page at once, and no page twice", async () => {
  const { asked, read } = feedOf(5);
  expect(await read(0)).toEqual(["1", "2"]);
  expect(asked).toEqual(["0", "2"]);
  expect(await read(2)).toEqual(["3", "4"]);
  expect(await read(4)).toEqual(["5"]);
  expect(asked).toEqual(["0", "2", "4"]);
});

it("asks for nothing behind the head of the log", async () => {
  const { asked, read } = feedOf(2);
  await read(0);
  expect(asked).toEqual(["0"]);
  expect(await read(2)).toEqual([]);
  expect(asked).toEqual(["0", "2"]);
});

it("lets go of a page that the stream does not go on with", async () => {
  const { asked, read } = feedOf(6);
  await read(0);
  expect(await read(1)).toEqual(["2", "3"]);
  expect(await read(2)).toEqual(["3", "4"]);
  expect(asked).toEqual(["0", "2", "1", "3", "2", "4"]);
});

it("lets go of a page that nobody takes, and reads it again: it may hold what was erased since", async () => {
  const { asked, read } = feedOf(4);
  await read(0);
  passTime();
  await Promise.resolve();
  expect(await read(2)).toEqual(["3", "4"]);
  expect(asked).toEqual(["0", "2", "2"]);
});

it("tells of a failure only when its page is wanted", async () => {
  let fails = false;
  const feed = createReadAhead(
    {
      changes: ({ after }) =>
        fails
          ? Promise.reject(new KattegatError("unavailable", "down"))
          : Promise.resolve({ changes: [put(Number(after.sequence) + 1)], head: head(9) }),
    },
    sleep,
  );
  const request = { target: "t", model: "m", limit: 1, waitMs: 0 };
  const first = feed.changes({ ...request, after: at(0) }, signal);
  fails = true;
  expect((await first).changes).toHaveLength(1);
  fails = false;
  expect((await feed.changes({ ...request, after: at(5) }, signal)).changes[0]?.sequence).toBe("6");
  fails = true;
  await feed.changes({ ...request, after: at(6) }, signal);
  await expect(feed.changes({ ...request, after: at(7) }, signal)).rejects.toThrow("down");
});
