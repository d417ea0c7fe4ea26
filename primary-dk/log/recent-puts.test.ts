import { expect, it } from "vitest";
import { RecentPuts } from "./recent-puts.ts";

it("forgets a line at the second turn", () => {
  const puts = new RecentPuts();
  puts.set("1", "a");
  puts.turn();
  puts.set("2", "b");
  expect([puts.get("1"), puts.get("2")]).toEqual(["a", "b"]);
  puts.turn();
  expect([puts.get("1"), puts.get("2")]).toEqual([undefined, "b"]);
});

it("holds no more characters than it may", () => {
  const puts = new RecentPuts(10);
  const keys = Array.from({ length: 20 }, (_, number) => String(number));
  for (const key of keys) puts.set(key, "xxx");
  const kept = keys.filter((key) => puts.get(key) !== undefined);
  expect(kept).toEqual(["18", "19"]);
});
