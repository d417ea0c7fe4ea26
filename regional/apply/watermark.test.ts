import { describe, expect, it } from "vitest";
import { assertReached } from "./watermark.ts";

const at = (epoch: number, sequence: string) => ({ epoch, sequence });
const standing = (epoch: number, sequence: string) => ({
  watermark: at(epoch, sequence),
  watermark_at: null,
  head_sequence: sequence,
});
const taken = (position: ReturnType<typeof standing>, after: ReturnType<typeof at>, to: typeof after) => () =>
  assertReached(position, { after, to });

describe("where a batch begins", () => {
  it("is where the site is, or before it, so that no gap is left (I8)", () => {
    expect(taken(standing(1, "10"), at(1, "10"), at(1, "12"))).not.toThrow();
    expect(taken(standing(1, "10"), at(1, "7"), at(1, "12"))).not.toThrow();
    expect(taken(standing(1, "10"), at(1, "11"), at(1, "12"))).toThrow(/on, where the site is/);
  });

  it("is exactly where the site is when it begins a reign: the log may never have been at a later place (I2)", () => {
    expect(taken(standing(1, "10"), at(1, "10"), at(2, "12"))).not.toThrow();
    expect(taken(standing(1, "10"), at(0, "0"), at(2, "12"))).toThrow(/on, where the site is/);
    expect(taken(standing(0, "0"), at(0, "0"), at(2, "12"))).not.toThrow();
  });
});
