import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { explainCaller, explainDocument } from "./explain.ts";
import { parseNetwork } from "./load.ts";
import { TIER_NAMES } from "./network.ts";
import { policyVersion } from "./policy-version.ts";
import { POLICY_TEXT } from "./policy.fixture.ts";

const NETWORK = parseNetwork(readFileSync(new URL("network.yaml", import.meta.url), "utf8"));
const today = "2026-11-23";

describe("explainDocument", () => {
  it("says of each site whether a copy is there", () => {
    const copies = explainDocument(NETWORK, { residency: "eu", tier: "warm", today }).sites.map(
      (at) => `${at.site} ${at.mayHold ? "may" : "may not"} ${at.copy}`,
    );
    expect(copies).toEqual([
      "dk-cph may record",
      "dk-aar may none",
      "eu-fra may searchable",
      "eu-arn may searchable",
      "edge-eu may none",
      "edge-global may not none",
      "archive-dk may record",
    ]);
  });

  it("says why not, with the rule that refuses", () => {
    const why = new Map(
      explainDocument(NETWORK, { residency: "dk-only", tier: "cold", today }).sites.map((at) => [
        at.site,
        at.why,
      ]),
    );
    expect(why.get("edge-eu")).toBe(
      "class dk-only may not rest in the zone eu: the zone eu is not listed; every copy stays in DK; this is the zone eu",
    );
    expect(why.get("dk-cph")).toBe(
      "no running edge site may hold class dk-only, so its cold copy stays at the primary",
    );
    expect(why.get("dk-aar")).toContain("declared only");
  });

  it("gives for every site the rules that decide, with reason and reference", () => {
    for (const residency of Object.keys(NETWORK.classes))
      for (const { mayHold, rules } of explainDocument(NETWORK, { residency, tier: "hot", today }).sites) {
        expect(rules.length).toBeGreaterThan(0);
        for (const rule of rules) {
          expect(rule.allows).toBe(mayHold);
          expect(rule.says === "" || rule.reference === null).toBe(false);
        }
      }
  });

  it("says until when a document is kept, and what its collection takes", () => {
    const network = parseNetwork(POLICY_TEXT);
    const dates = { created_at: "2026-11-01T00:00:00Z", published_at: null };
    const document = { residency: "acme-eu", tier: "hot", collection: "acme-mail", dates, today } as const;
    expect(explainDocument(network, document)).toMatchObject({
      retention: {
        period: "1826 days from created_at",
        until: "2031-11-01",
        reference: "forældelsesloven § 3",
      },
      collection: { name: "acme-mail", takes: ["global", "acme-eu"] },
      policy: policyVersion(network),
    });
  });

  it("refuses an unknown class at every site and zone, and says that it is unknown", () => {
    for (const tier of TIER_NAMES) {
      const explanation = explainDocument(NETWORK, { residency: "secret", tier, today });
      expect(
        explanation.sites.every(
          (at) => !at.mayHold && at.copy === "none" && at.why.includes("no class secret"),
        ),
      ).toBe(true);
      expect(explanation.zones.every((at) => !at.pass.allowed && !at.cache.allowed)).toBe(true);
    }
  });
});

describe("explainCaller", () => {
  it("says what each zone's host name serves, from which sites, and why the rest is withheld", () => {
    const [eu, global] = explainCaller(NETWORK, { country: "SE", today });
    const withheld = (at: typeof eu) => at?.notServed.map(({ className, why }) => `${className}: ${why}`);
    expect(eu).toMatchObject({ zone: "eu", hostname: "eu.kattegat.example" });
    expect(eu?.served.map(({ className }) => className)).toEqual(["eu", "global"]);
    expect(eu?.served[0]?.from).toEqual({
      "ultra-hot": ["dk-cph"],
      hot: ["dk-cph"],
      warm: ["eu-fra", "eu-arn"],
      cold: ["edge-eu"],
    });
    expect(withheld(eu)).toEqual(["dk-only: class dk-only does not serve callers in SE"]);
    expect(global?.served.map(({ className }) => className)).toEqual(["global"]);
    expect(withheld(global)).toEqual([
      "dk-only: class dk-only does not serve callers in SE",
      "eu: class eu may not pass through the zone global; the zone eu would serve it",
    ]);
  });

  it("gives the reason and the reference of each rule", () => {
    const [zone] = explainCaller(NETWORK, { country: "SG", today });
    expect(zone?.notServed.find(({ className }) => className === "eu")?.rules[0]).toMatchObject({
      path: "classes.eu.serve",
      says: "SG is not in EU, EU-regions, EEA, adequacy",
      reference: "Art. 44 and 45 GDPR",
    });
  });

  it("serves a caller without a country nothing but class global", () => {
    for (const zone of explainCaller(NETWORK, { country: undefined, today }))
      expect(zone.served.map(({ className }) => className)).toEqual(["global"]);
  });
});
