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

it("reads one after another under one name, whatever became of the one before", async () => {
  const puts = new RecentPuts();
  const { promise, reject } = Promise.withResolvers<string>();
  const order: string[] = [];
  const first = puts.inTurn("regional", () => promise);
  const second = puts.inTurn("regional", () => {
    order.push("second");
    return Promise.resolve("b");
  });
  const other = puts.inTurn("edge", () => {
    order.push("other");
    return Promise.resolve("c");
  });
  expect(await other).toBe("c");
  expect(order).toEqual(["other"]);
  reject(new Error("cut"));
  await expect(first).rejects.toThrow("cut");
  expect(await second).toBe("b");
});
