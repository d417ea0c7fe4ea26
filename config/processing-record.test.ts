import { describe, expect, it } from "vitest";

import { parseNetwork } from "./load.ts";
import { POLICY_TEXT } from "./policy.fixture.ts";
import { policyVersion } from "./policy-version.ts";
import { processingRecord } from "./processing-record.ts";

const NETWORK = parseNetwork(POLICY_TEXT);
const today = "2026-11-26";
const RECORD = processingRecord(NETWORK, { today });

describe("processingRecord", () => {
  it("names who answers, for what, about whom, and the policy that it was made from", () => {
    expect(RECORD).toMatchObject({
      day: today,
      policy: policyVersion(NETWORK),
      organisation: { controller: "Example Law ApS, København", role: "processor" },
    });
  });

  it("names every operator of a site, a destination or a backup as a recipient, with what it holds", () => {
    const byName = new Map(RECORD.recipients.map((recipient) => [recipient.name, recipient]));
    expect([...byName.keys()]).toEqual([
      "Example Hosting A/S",
      "Example Hosting GmbH",
      "Example Hosting AB",
      "Cloudflare, Inc.",
      "Example Metrics, Inc.",
    ]);
    expect(byName.get("Cloudflare, Inc.")).toMatchObject({
      law: ["US"],
      as: ["site edge-eu (edge, zone eu)", "site edge-global (edge, zone global)"],
      classes: ["dk-only", "eu", "global", "acme-eu", "branches"],
    });
    expect(byName.get("Example Metrics, Inc.")?.classes).toEqual(["eu", "global", "branches"]);
    expect(byName.get("Example Hosting A/S")?.as).toContain("backup primary-daily of dk-cph (DK)");
  });

  it("names of each class its sites, its time limit, its transfers with their basis, its adequate readers", () => {
    const of = (name: string) => RECORD.activities.find(({ className }) => className === name);
    expect(of("branches")).toMatchObject({
      personalData: true,
      retention: { period: "until 2030-12-31", reference: "Art. 5(1)(e) GDPR" },
      transfers: [{ to: ["SG"], basis: "Art. 46(2)(c)", until: "2028-06-30" }],
      adequate: [],
    });
    expect(of("acme-eu")).toMatchObject({ tenants: ["acme"], adequate: ["GB"] });
    expect(of("dk-only")?.sites).toEqual(["dk-cph", "dk-aar", "archive-dk"]);
    expect(of("eu")?.adequate).toContain("FO");
    const later = processingRecord(NETWORK, { today: "2031-12-28" });
    expect(later.activities.find(({ className }) => className === "acme-eu")?.adequate).toEqual([]);
  });

  it("says what the article demands and the file does not say", () => {
    expect(RECORD.gaps).toEqual([expect.stringContaining("retention of the classes dk-only, eu, sealed")]);
    const bare = processingRecord({ ...NETWORK, organisation: undefined, telemetry: undefined }, { today });
    expect(bare.gaps.map((gap) => gap.split(":")[0])).toEqual([
      "organisation",
      "retention of the classes dk-only, eu, sealed",
      "telemetry",
    ]);
  });
});
