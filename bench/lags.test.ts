import { networkStatusSchema, type NetworkStatus } from "@kattegat/protocol/network-status.ts";
import { expect, it } from "vitest";
import { lagsIn, targetsIn } from "./lags.ts";

type Site = NetworkStatus["sites"][number];

const site = (id: string, change: Partial<Site> = {}): Site => ({
  id,
  kind: "regional",
  country: null,
  city: null,
  tiers: [],
  health: "ok",
  epoch: 1,
  watermark: "1",
  lag_ms: 7,
  lag_changes: 0,
  parked: 0,
  url: null,
  ...change,
});
const statusOf = (...sites: readonly Site[]): NetworkStatus =>
  networkStatusSchema.parse({
    sequence: "1",
    epoch: 1,
    sites,
    tiers: [],
    classes: [],
    model: { id: "m", dimensions: 8 },
    policy: null,
    statistics_version: null,
  });

it("takes a target for late while it is not well, its lag is not known, or nobody answers", () => {
  const targets = targetsIn(
    statusOf(
      site("dk-cph", { kind: "primary" }),
      ...["well", "ill", "silent", "unknown", "gone"].map((id) => site(id)),
      site("later", { health: "not_running" }),
    ),
  );
  expect(targets.map(({ site: id }) => id)).toEqual(["well", "ill", "silent", "unknown", "gone"]);
  const now = statusOf(
    site("well"),
    // Each of these has the lag that it was last heard of.
    site("ill", { health: "lagging" }),
    site("silent", { health: "unavailable" }),
    site("unknown", { lag_ms: null }),
  );
  expect(lagsIn(now, targets).map(({ ms }) => ms)).toEqual([7, Infinity, Infinity, Infinity, Infinity]);
  expect(lagsIn(null, targets).every(({ ms }) => ms === Infinity)).toBe(true);
});
