import { expect, it } from "vitest";
import { RecentMap } from "./recent-map.ts";

it("forgets the entry first that was set longest ago", () => {
  const names = new RecentMap<string, string>(2);
  names.set("a", "1");
  names.set("b", "2");
  names.set("a", "3");
  names.set("c", "4");
  expect(["a", "b", "c"].map((document) => names.get(document))).toEqual(["3", undefined, "4"]);
  expect(names.size).toBe(2);
});
