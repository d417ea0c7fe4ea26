import type { SiteStatus } from "@kattegat/protocol/network-status.ts";
import { describe, expect, it } from "vitest";
import { comparedSites, findingOf, REPORT_AGE_MS_MAX } from "./comparison-finding.ts";
import { formatComparisons } from "./repairs-text.ts";

const well = {
  state: "equal",
  detail: null,
  compared_at: "2026-01-01T00:00:00.000Z",
  rounds: 7,
  found: 2,
  repaired: 2,
  pending: 0,
  unhealed: 0,
  unread: 0,
  bytes: 2_000,
  scrubbed_bytes: 0,
  reported_at: "2026-01-01T00:00:09.000Z",
  report_age_ms: 9_000,
} as const;
const site = (id: string, change: Partial<SiteStatus> = {}): SiteStatus => ({
  id,
  kind: "regional",
  country: "DE",
  city: null,
  tiers: ["warm"],
  health: "ok",
  epoch: 1,
  watermark: "9",
  lag_ms: 0,
  lag_changes: 0,
  parked: 0,
  url: null,
  ...change,
});

describe("what of a comparison has to be looked at (I25)", () => {
  it.each([
    [well, null],
    [{ ...well, state: "different", pending: 3 }, null],
    [{ ...well, state: "not_ready", detail: "It is being read." }, null],
    [{ ...well, report_age_ms: REPORT_AGE_MS_MAX }, null],
    [{ ...well, report_age_ms: 90 * 60_000 }, "last reported 90 minutes ago: does replication run?"],
    [null, "never reported: does replication run?"],
    [{ ...well, state: "unavailable", detail: "It does not answer." }, "It does not answer."],
    [{ ...well, state: "different", unread: 2 }, "2 documents that differ cannot be read"],
    [{ ...well, state: "different", unhealed: 1 }, "1 faults are not healed"],
    [{ ...well, detail: "Some of its copies could not be read." }, "Some of its copies could not be read."],
  ] as const)("is, of %o: %s", (comparison, finding) => {
    expect(findingOf({ site: "eu-fra", kind: "regional", comparison })).toBe(finding);
  });

  it("is looked for at each running site that holds copies, those without a report among them", () => {
    const sites = comparedSites([
      site("dk-cph", { kind: "primary" }),
      site("eu-fra", { comparison: well }),
      site("eu-arn"),
      site("eu-mad", { health: "not_running" }),
      site("edge-eu", { kind: "edge", comparison: { ...well, report_age_ms: 7_200_000 } }),
      site("archive-dk", { kind: "archive", comparison: well }),
      site("standby", { kind: "standby" }),
    ]);
    expect(sites.map(({ site: id }) => id)).toEqual(["dk-cph", "eu-fra", "eu-arn", "edge-eu", "archive-dk"]);
    const text = formatComparisons(sites).join("\n");
    expect(text).toContain(well.reported_at);
    expect(text).toContain("dk-cph: never reported: can it read its Postgres?");
    expect(text).toContain("eu-arn: never reported: does replication run?");
    expect(text).toContain("edge-eu: last reported 120 minutes ago");
    expect(text).not.toContain("eu-fra:");
  });
});
