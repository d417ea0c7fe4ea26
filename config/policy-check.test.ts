import { describe, expect, it } from "vitest";

import { checkNetwork } from "./check.ts";
import type { Finding } from "./finding.ts";
import { parseNetwork } from "./load.ts";
import { POLICY_TEXT } from "./policy.fixture.ts";

const today = "2026-11-26";
/** The fixture's one error is meant: its class branches lists India without a basis. */
const CLEAN = POLICY_TEXT.replace("[EU, SG, IN]", "[EU, SG]");

/** What to change; then severity, path, a part of what is found. */
const CASES: readonly (readonly [
  title: string,
  from: string,
  to: string,
  severity: string,
  path: string,
  found: string,
])[] = [
  [
    "a class served in a third country without a basis",
    "[EU, SG]",
    "[EU, SG, IN]",
    "error",
    "classes.branches.transfers",
    "serve lists IN, outside the EU",
  ],
  [
    "a class that is silent about personal data and served anywhere",
    "    personal_data: false\n",
    "",
    "error",
    "classes.global.transfers",
    "may hold personal data",
  ],
  [
    "a class stored in a third country without a basis",
    "store: { countries: [EU], zones: [eu] }\n    transit: { countries: [EU]",
    "store: { countries: [EU, US], zones: [eu] }\n    transit: { countries: [EU, US]",
    "error",
    "classes.branches.transfers",
    "store lists US",
  ],
  [
    "a transfer that ends soon",
    "until: 2028-06-30",
    "until: 2027-01-31",
    "warning",
    "classes.branches.transfers[0].until",
    "expires in 66 days",
  ],
  [
    "a transfer that has ended",
    "until: 2028-06-30",
    "until: 2026-11-25",
    "warning",
    "classes.branches.transfers[0].until",
    "expired on 2026-11-25",
  ],
  [
    "a retention that has ended",
    "until: 2030-12-31",
    "until: 2026-11-25",
    "warning",
    "classes.branches.retention.until",
    "must be deleted",
  ],
  [
    "a site without an operator beside a class that excludes some",
    "    operator: { name: Example Hosting GmbH, jurisdictions: [DE] }\n",
    "",
    "warning",
    "sites[2].operator",
    "eu-fra has no operator",
  ],
  [
    "logs in a country where a class may not rest",
    "    country: DK\n    operator: { name: Example Hosting A/S, jurisdictions: [DK] }\n    classes",
    "    country: SE\n    operator: { name: Example Hosting A/S, jurisdictions: [DK] }\n    classes",
    "error",
    "telemetry[0].classes",
    "logs of class dk-only may not go to logs-dk in SE",
  ],
  [
    "metrics at an operator that a class excludes",
    "classes: [eu, global, branches]",
    "classes: [eu, global, sealed]",
    "error",
    "telemetry[1].classes",
    "under the law of IE, US; excluded is US",
  ],
  [
    "a backup in another country",
    "    of: dk-cph\n    country: DK",
    "    of: dk-cph\n    country: IE",
    "error",
    "backups[0].country",
    "class dk-only of dk-cph to IE",
  ],
  [
    "a backup that the provider copies to a paired region",
    "replicas: [DK]",
    "replicas: [DK, IE]",
    "error",
    "backups[0].replicas[1]",
    "class dk-only of dk-cph to IE",
  ],
  [
    "keys of a backup in a third country",
    "keys_in: DK",
    "keys_in: US",
    "error",
    "backups[0].encryption.keys_in",
    "to US",
  ],
  [
    "a backup of personal data in clear",
    "    encryption: { algorithm: AES-256-GCM, keys_in: DK }\n",
    "",
    "error",
    "backups[0].encryption",
    "not encrypted",
  ],
  [
    "a failover to where a class may not be",
    "{ of: dk-cph, to: dk-aar }",
    "{ of: edge-eu, to: edge-global }",
    "error",
    "failover[0].to",
    "it may not hold class eu as edge-eu may",
  ],
  [
    "a failover to a site that does not run",
    "{ of: dk-cph, to: dk-aar }",
    "{ of: dk-cph, to: dk-aar }",
    "warning",
    "failover[0].to",
    "declared only",
  ],
];

describe("checkNetwork of a network with conditions and destinations", () => {
  it("finds no error in the fixture", () => {
    expect(findings(CLEAN).filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it.each(CASES)("finds %s, and says what to write", (_title, from, to, severity, path, found) => {
    expect(CLEAN).toContain(from);
    const all = findings(CLEAN.replace(from, to));
    const match = all.find((finding) => finding.where.endsWith(path) && finding.found.includes(found));
    expect(match, JSON.stringify(all, null, 1)).toMatchObject({ severity });
    expect(match?.write).not.toBe("");
  });

  it("lets a failover be between sites that may hold the same", () => {
    const text = CLEAN.replace("{ of: dk-cph, to: dk-aar }", "{ of: eu-fra, to: eu-arn }");
    expect(findings(text).filter(({ where }) => where.includes("failover"))).toEqual([
      expect.objectContaining({ found: expect.stringContaining("class acme-eu") }),
      expect.objectContaining({ found: expect.stringContaining("class sealed") }),
    ]);
  });
});

function findings(text: string): readonly Finding[] {
  return checkNetwork(parseNetwork(text), { today });
}
