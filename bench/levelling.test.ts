import type { NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { describe, expect, it } from "vitest";
import { Levelling, STILL_MS_MAX } from "./levelling.ts";

type Status = Pick<NetworkStatus, "sites" | "sequence">;
type Watermarks = Readonly<Record<string, string | null>>;

function status(sequence: string, watermarks: Watermarks): Status {
  const sites = Object.entries(watermarks).map(([id, watermark]): NetworkStatus["sites"][number] => ({
    id,
    kind: id.startsWith("archive") ? "archive" : "regional",
    country: null,
    city: null,
    tiers: [],
    health: id === "standby" ? "not_running" : "ok",
    epoch: 1,
    watermark,
    lag_ms: null,
    lag_changes: null,
    parked: null,
    url: null,
  }));
  return { sequence, sites };
}

describe("waiting for sites to be level", () => {
  it("ends when every running site is where the log ended at the start", () => {
    const levelling = new Levelling({});
    expect(levelling.take(status("10", { fra: "4", "archive-dk": null, standby: null }), 0)).toBe("moving");
    expect(levelling.take(status("90", { fra: "10", "archive-dk": "9", standby: null }), 5)).toBe("moving");
    expect(levelling.take(status("99", { fra: "12", "archive-dk": "10", standby: null }), 9)).toBe("level");
    expect(levelling.reached).toEqual([
      { site: "fra", kind: "regional", atMs: 5 },
      { site: "archive-dk", kind: "archive", atMs: 9 },
    ]);
  });

  it("goes on for as long as one site moves, however long that is", () => {
    const levelling = new Levelling({});
    for (let step = 0; step < 100; step += 1)
      expect(
        levelling.take(status("1000", { fra: "7", "archive-dk": String(step) }), step * STILL_MS_MAX),
      ).toBe("moving");
  });

  it("gives up when nothing has moved for two minutes", () => {
    const levelling = new Levelling({});
    const standing = status("1000", { fra: "1000", "archive-dk": "300" });
    expect(levelling.take(standing, 1_000)).toBe("moving");
    expect(levelling.take(standing, 1_000 + STILL_MS_MAX)).toBe("moving");
    expect(levelling.take(standing, 1_001 + STILL_MS_MAX)).toBe("still");
  });

  it("leaves out the archive where only what is searched is waited for, and a site that is named", () => {
    const told = status("10", { fra: "10", arn: "1", "archive-dk": "1" });
    expect(new Levelling({ searched: true, without: "arn" }).take(told, 0)).toBe("level");
    expect(new Levelling({ searched: true }).take(told, 0)).toBe("moving");
    expect(new Levelling({ without: "arn" }).take(told, 0)).toBe("moving");
  });

  it("tells how far the others are, and how fast they come", () => {
    const levelling = new Levelling({});
    levelling.take(status("100000", { fra: "100000", "archive-dk": "2000" }), 0);
    levelling.take(status("100000", { fra: "100000", "archive-dk": "7000" }), 10_000);
    expect(levelling.describe()).toBe("archive-dk at 7,000 of 100,000, 500 a second");
  });
});
