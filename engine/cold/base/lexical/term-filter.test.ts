import { describe, expect, it } from "vitest";
import { encodeTermFilter, mayHaveTerm } from "./term-filter.ts";
import { seededRandom } from "../../../seeded-random.ts";

describe("the filter of terms", () => {
  it.each([
    ["hashes", () => seededRandom(1)],
    ["neighbours", () => neighbours()],
  ])("has every term that was put in, hardly any other one: %s", (_kind, idsOf) => {
    const next = idsOf();
    const ids = Array.from({ length: 20_000 }, () => Math.floor(next() * 2 ** 32));
    const filter = encodeTermFilter(ids.slice(0, 10_000));
    const inside = new Set(ids.slice(0, 10_000));
    expect(ids.slice(0, 10_000).every((id) => mayHaveTerm(filter, id))).toBe(true);
    const wrong = ids.slice(10_000).filter((id) => !inside.has(id) && mayHaveTerm(filter, id));
    expect(wrong.length).toBeLessThan(200);
  });

  it("has none when nothing was put in", () => {
    expect(mayHaveTerm(encodeTermFilter([]), 7)).toBe(false);
  });
});

function neighbours(): () => number {
  let id = 0;
  return () => {
    id += 1;
    return id / 2 ** 32;
  };
}
