import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { explainCaller, explainDocument } from "./explain.ts";
import { parseNetwork } from "./load.ts";
import { TIER_NAMES } from "./network.ts";

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
      "archive-dk may none",
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
      "class dk-only does not store in the zone eu: store.countries is DK, store.zones is none",
    );
    expect(why.get("dk-cph")).toBe(
      "no running edge site may hold class dk-only, so its cold copy stays at the primary",
    );
    expect(why.get("dk-aar")).toContain("declared only");
  });

  it("refuses an unknown class at every site and zone, and says that it is unknown", () => {
    for (const tier of TIER_NAMES) {
      const explanation = explainDocument(NETWORK, { residency: "secret", tier, today });
      expect(
        explanation.sites.every(
          (at) => !at.mayHold && at.copy === "none" && at.why.includes("no class secret"),
        ),
      ).toBe(true);
      expect(explanation.zones.every((at) => !at.mayPass && !at.mayCache)).toBe(true);
    }
  });
});

describe("explainCaller", () => {
  it("says what each zone's host name serves, and why the rest is withheld", () => {
    expect(explainCaller(NETWORK, { country: "SE", today })).toEqual([
      {
        zone: "eu",
        hostname: "eu.kattegat.example",
        served: ["eu", "global"],
        notServed: [
          {
            className: "dk-only",
            reason: "caller",
            why: "class dk-only serves callers in DK; this one is in SE",
          },
        ],
      },
      {
        zone: "global",
        hostname: "kattegat.example",
        served: ["global"],
        notServed: [
          {
            className: "dk-only",
            reason: "caller",
            why: "class dk-only serves callers in DK; this one is in SE",
          },
          {
            className: "eu",
            reason: "hostname",
            alternateZone: "eu",
            why: "class eu may not pass through the zone global; the zone eu would serve it",
          },
        ],
      },
    ]);
  });

  it("serves a caller without a country nothing but class global", () => {
    for (const zone of explainCaller(NETWORK, { country: undefined, today }))
      expect(zone.served).toEqual(["global"]);
  });
});
