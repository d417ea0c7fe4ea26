import { describe, expect, it } from "vitest";
import { assertReached } from "./batch-place.ts";

const at = (epoch: number, sequence: string) => ({ epoch, sequence });
const taken = (reached: ReturnType<typeof at>, after: typeof reached, to: typeof reached) => () =>
  assertReached(reached, { after, to, place: "the site" });

describe("where a batch begins", () => {
  it("is where the site is, or before it, so that no gap is left (I8)", () => {
    expect(taken(at(1, "10"), at(1, "10"), at(1, "12"))).not.toThrow();
    expect(taken(at(1, "10"), at(1, "7"), at(1, "12"))).not.toThrow();
    expect(taken(at(1, "10"), at(1, "11"), at(1, "12"))).toThrow(/on, where the site is/);
  });

  it("is exactly where the site is when it begins a reign: the log may never have been at a later place (I2)", () => {
    expect(taken(at(1, "10"), at(1, "10"), at(2, "12"))).not.toThrow();
    expect(taken(at(1, "10"), at(0, "0"), at(2, "12"))).toThrow(/on, where the site is/);
    expect(taken(at(0, "0"), at(0, "0"), at(2, "12"))).not.toThrow();
  });
});
