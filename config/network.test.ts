import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseNetwork } from "./load.ts";

const TEXT = readFileSync(new URL("network.yaml", import.meta.url), "utf8");

describe("config/network.yaml", () => {
  it("is a network of seven sites, of which the standby does not run yet", () => {
    const network = parseNetwork(TEXT);
    expect(
      network.sites.map((site) => `${site.id} ${site.kind} ${site.running ? "runs" : "declared"}`),
    ).toEqual([
      "dk-cph primary runs",
      "dk-aar standby declared",
      "eu-fra regional runs",
      "eu-arn regional runs",
      "edge-eu edge runs",
      "edge-global edge runs",
      "archive-dk archive runs",
    ]);
  });

  it("holds a million documents in four tiers of 50, 200, 500 and 2,000 milliseconds", () => {
    expect(parseNetwork(TEXT).tiers).toEqual({
      "ultra-hot": { capacity: 1_000, deadline_ms: 1_000, budget_ms: 50 },
      hot: { capacity: 49_000, deadline_ms: 1_000, budget_ms: 200 },
      warm: { capacity: 300_000, deadline_ms: 1_500, budget_ms: 500 },
      cold: { capacity: 650_000, deadline_ms: 2_000, budget_ms: 2_000 },
    });
  });

  it("gives a reason and a reference for each rule of each class, and an operator of each site", () => {
    const { classes, sites } = parseNetwork(TEXT);
    for (const [name, { store, transit, serve, cache, stays_in }] of Object.entries(classes)) {
      for (const rule of [store, transit, serve, cache, ...(stays_in === undefined ? [] : [stays_in])]) {
        expect(rule.reason, name).toBeTruthy();
        expect(rule.reference, name).toBeTruthy();
      }
    }
    for (const { id, operator } of sites) expect(operator, id).toBeDefined();
  });

  it("names the model and the length of its vectors", () => {
    expect(parseNetwork(TEXT).embedding).toEqual({
      provider: "hashed",
      model: "hashed-384-v1",
      dimensions: 384,
    });
  });
});
