import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseNetwork } from "./load.ts";
import type { Network } from "./network.ts";
import { networkSchema } from "./network.ts";
import { policyVersion } from "./policy-version.ts";

const NETWORK = parseNetwork(readFileSync(new URL("network.yaml", import.meta.url), "utf8"));

describe("policyVersion", () => {
  it("is sixteen hexadecimal digits of a SHA-256 over sorted keys, as Node computes it too", () => {
    const sections = { classes: {}, country_groups: {}, sites: [] };
    expect(policyVersion({ sites: [], country_groups: {}, classes: {} })).toBe(
      createHash("sha256").update(JSON.stringify(sections)).digest("hex").slice(0, 16),
    );
    expect(policyVersion(NETWORK)).toMatch(/^[0-9a-f]{16}$/);
  });

  it("is the same for a network that went over the wire as JSON", () => {
    expect(policyVersion(networkSchema.parse(JSON.parse(JSON.stringify(NETWORK))))).toBe(
      policyVersion(NETWORK),
    );
  });

  it("does not depend on the order of keys, nor on what decides nothing", () => {
    const { eu, ...rest } = NETWORK.classes;
    if (eu === undefined) throw new Error("the shipped file has no class eu");
    const reordered: Network = {
      ...NETWORK,
      classes: { eu, ...rest },
      limits: { ...NETWORK.limits, lag_ms_max: 1_000 },
    };
    expect(policyVersion(reordered)).toBe(policyVersion(NETWORK));
  });

  it.each([
    ["a site that starts to run", { sites: NETWORK.sites.map((site) => ({ ...site, running: true })) }],
    ["a class that goes", { classes: {} }],
    ["a country that leaves a group", { country_groups: {} }],
  ])("is another one after %s", (_title, change: Partial<Network>) => {
    expect(policyVersion({ ...NETWORK, ...change })).not.toBe(policyVersion(NETWORK));
  });
});
