import { SUSPECTS_MAX } from "@kattegat/protocol/digests.ts";
import { expect, it } from "vitest";
import { ReadWindow } from "./read-window.ts";

const keysOf = (count: number): string[] =>
  Array.from({ length: count }, (_, number) => number.toString(16).padStart(16, "0"));

it("comes round to every key, from another place each time (I25)", () => {
  const window = new ReadWindow();
  const keys = keysOf(600);
  const seen = new Set<string>();
  for (let round = 0; round < 3; round += 1) {
    const taken = window.take(keys, { isAll: true });
    expect(taken).toHaveLength(SUSPECTS_MAX);
    for (const key of taken) seen.add(key);
    window.read();
  }
  expect(seen.size).toBe(600);
});

it("reads everything but what cannot be read, which it tells of until it can or no longer differs (I25)", () => {
  const window = new ReadWindow();
  const bad = new Set([keysOf(600)[3], keysOf(600)[299]]);
  let keys = keysOf(600);
  // What is read is healed, and differs no more.
  for (let round = 0; round < 60 && keys.length > bad.size; round += 1) {
    const taken = window.take(keys, { isAll: true });
    if (taken.some((key) => bad.has(key))) window.failed();
    else {
      window.read();
      keys = keys.filter((key) => !taken.includes(key));
    }
  }
  expect(new Set(keys)).toEqual(bad);
  window.take(keys, { isAll: true });
  expect(window.unread).toBe(2);
  window.take([], { isAll: true });
  expect(window.unread).toBe(0);
});
