import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { parseNetwork } from "./load.ts";
import { TIER_NAMES } from "./network.ts";
import type { Network } from "./network.ts";
import { placement } from "./placement.ts";
import { mayHold } from "./residency.ts";

const NETWORK = parseNetwork(readFileSync(new URL("network.yaml", import.meta.url), "utf8"));

describe("placement", () => {
  it.each([
    { residency: "dk-only", tier: "ultra-hot", sites: ["dk-cph"] },
    { residency: "dk-only", tier: "hot", sites: ["dk-cph"] },
    { residency: "dk-only", tier: "warm", sites: ["dk-cph"] },
    { residency: "dk-only", tier: "cold", sites: ["dk-cph"] },
    { residency: "eu", tier: "ultra-hot", sites: ["dk-cph"] },
    { residency: "eu", tier: "hot", sites: ["dk-cph"] },
    { residency: "eu", tier: "warm", sites: ["eu-fra", "eu-arn"] },
    { residency: "eu", tier: "cold", sites: ["edge-eu"] },
    { residency: "global", tier: "ultra-hot", sites: ["dk-cph"] },
    { residency: "global", tier: "hot", sites: ["dk-cph"] },
    { residency: "global", tier: "warm", sites: ["eu-fra", "eu-arn"] },
    { residency: "global", tier: "cold", sites: ["edge-global"] },
  ] as const)("puts $residency in tier $tier at $sites", ({ residency, tier, sites }) => {
    expect(placement({ residency, tier }, NETWORK)).toEqual(sites);
  });

  it("plans no copy of an unknown class (I5)", () => {
    for (const tier of TIER_NAMES) expect(placement({ residency: "secret", tier }, NETWORK)).toEqual([]);
  });

  it("plans no copy at a site that does not run, and keeps it at the primary when none is left", () => {
    expect(placement({ residency: "eu", tier: "warm" }, stopped("eu-fra"))).toEqual(["eu-arn"]);
    expect(placement({ residency: "eu", tier: "warm" }, stopped("eu-fra", "eu-arn"))).toEqual(["dk-cph"]);
    expect(placement({ residency: "eu", tier: "cold" }, stopped("edge-eu"))).toEqual(["dk-cph"]);
  });

  it("plans no copy at a site that is retiring, whose copies then go to the others", () => {
    const retiring = (id: string): Network => ({
      ...NETWORK,
      sites: NETWORK.sites.map((site) => (site.id === id ? { ...site, retiring: true } : site)),
    });
    expect(placement({ residency: "eu", tier: "warm" }, retiring("eu-fra"))).toEqual(["eu-arn"]);
    expect(placement({ residency: "global", tier: "cold" }, retiring("edge-global"))).toEqual(["edge-eu"]);
  });

  it("puts a cold global document in the EU zone when the global zone does not run, but never an eu document in the global zone (I5)", () => {
    expect(placement({ residency: "global", tier: "cold" }, stopped("edge-global"))).toEqual(["edge-eu"]);
    expect(placement({ residency: "eu", tier: "cold" }, stopped("edge-eu"))).not.toContain("edge-global");
  });

  it("names only sites that may hold the class, whatever the class and tier (I5)", () => {
    for (const residency of Object.keys(NETWORK.classes)) {
      for (const tier of TIER_NAMES) {
        for (const id of placement({ residency, tier }, NETWORK))
          expect(mayHold(NETWORK, residency, { id }), `${residency} ${tier} ${id}`).toBe(true);
      }
    }
  });
});

function stopped(...ids: readonly string[]): Network {
  return {
    ...NETWORK,
    sites: NETWORK.sites.map((site) => (ids.includes(site.id) ? { ...site, running: false } : site)),
  };
}
