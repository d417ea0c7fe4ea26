import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { checkNetwork } from "./check.ts";
import { parseNetwork } from "./load.ts";
import type { Network } from "./network.ts";

const NETWORK = parseNetwork(readFileSync(new URL("network.yaml", import.meta.url), "utf8"));
const today = "2026-11-23";

const EU_BUCKET = { binding: "COLD_EU", bucket_name: "kattegat-cold-eu", jurisdiction: "eu" };
const GLOBAL_BUCKET = { binding: "COLD_GLOBAL", bucket_name: "kattegat-cold-global" };
const EU = {
  name: "kattegat-edge-eu",
  main: "worker.ts",
  compatibility_date: "2026-08-06",
  workers_dev: false,
  preview_urls: false,
  routes: [{ pattern: "eu.kattegat.example", custom_domain: true }],
  r2_buckets: [EU_BUCKET, GLOBAL_BUCKET],
};
const GLOBAL = {
  ...EU,
  name: "kattegat-edge-global",
  routes: ["kattegat.example/*"],
  r2_buckets: [GLOBAL_BUCKET],
};

describe("checkNetwork", () => {
  it("finds nothing to mend in the shipped network, only what is declared but does not run yet", () => {
    const findings = checkNetwork(NETWORK, { today });
    expect(findings.map((finding) => `${finding.severity}: ${finding.found.split(":")[0]}`)).toEqual([
      "note: no running standby",
    ]);
    const sites = NETWORK.sites.map((site) => ({
      ...site,
      running: site.running && site.kind !== "archive",
    }));
    expect(checkNetwork({ ...NETWORK, sites }, { today }).map(({ found }) => found.split(":")[0])).toEqual([
      "no running standby",
      "no running archive",
    ]);
  });

  it("warns half a year before an adequacy decision expires, and after it did", () => {
    expect(foundOn("2031-06-29")).not.toContain("expires");
    expect(foundOn("2031-06-30")).toContain("expires in 180 days, on 2031-12-27; then GB is refused");
    expect(foundOn("2031-12-27")).toContain("expires in 0 days");
    expect(foundOn("2031-12-28")).toContain("expired on 2031-12-27: GB is refused");
  });

  it("warns when a list of countries was not compared with its source for a year", () => {
    expect(foundOn("2027-11-23")).not.toContain("compared with its source");
    expect(foundOn("2027-11-24")).toContain("366 days ago");
  });

  it("finds a class that lost its home when a country's listing expired", () => {
    const groups = {
      ...NETWORK.country_groups,
      nordic: { description: "x", source: "y", as_of: today, countries: ["DK"], until: { DK: "2027-01-01" } },
    };
    const rules = {
      store: { countries: ["nordic"], zones: [] },
      transit: { countries: ["nordic"], zones: ["eu" as const] },
      serve: { countries: ["DK"] },
      cache: { zones: [] },
    };
    const network: Network = {
      ...NETWORK,
      country_groups: groups,
      classes: { ...NETWORK.classes, treaty: rules },
    };
    expect(errors(network, "2027-01-01")).toEqual([]);
    expect(errors(network, "2027-01-02")).toContain("class treaty has no legal site for tier hot");
  });

  it("finds a class that nobody can read, and notes one that only the primary's endpoint serves", () => {
    const court = {
      store: { countries: ["DK"], zones: [] },
      transit: { countries: ["DK"], zones: [] },
      serve: { countries: ["DK"] },
      cache: { zones: [] },
    };
    const network: Network = { ...NETWORK, classes: { ...NETWORK.classes, court } };
    expect(checkNetwork(network, { today }).map((finding) => finding.found)).toContain(
      "no running zone may carry this class: it is served only at the primary's own endpoint",
    );
    const silent: Network = {
      ...network,
      sites: network.sites.map((site) => (site.kind === "primary" ? { ...site, hostname: undefined } : site)),
    };
    expect(errors(silent, today)).toEqual([
      "no running zone may carry this class, nor has the primary a host name: nobody can read it",
    ]);
  });

  it("finds a standby in a country that may not hold what it replicates", () => {
    const network: Network = {
      ...NETWORK,
      sites: NETWORK.sites.map((site) => (site.kind === "standby" ? { ...site, country: "DE" } : site)),
    };
    expect(errors(network, today)).toEqual([
      "the standby dk-aar replicates the primary but may not hold this class",
    ]);
  });
});

describe("checkNetwork with a wrangler file", () => {
  it.each(["eu", "global"] as const)("finds no error in the shipped file of the zone %s", (zone) => {
    const text = readFileSync(new URL(`../edge/wrangler.${zone}.json`, import.meta.url), "utf8");
    expect(worker(zone, JSON.parse(text))).toEqual([]);
  });

  it("accepts one file for each zone that binds what the network file says", () => {
    expect(worker("eu", EU)).toEqual([]);
    expect(worker("global", GLOBAL)).toEqual([]);
  });

  it.each([
    ["KV", { kv_namespaces: [{ binding: "KV", id: "1" }] }, "kv_namespaces in the zone eu"],
    ["Vectorize", { vectorize: [{ binding: "V", index_name: "v" }] }, "vectorize in the zone eu"],
    ["Workers AI", { ai: { binding: "AI" } }, "ai in the zone eu"],
    ["AI Search", { ai_search: [{ binding: "S" }] }, "ai_search in the zone eu"],
    ["a queue", { queues: { producers: [{ queue: "q", binding: "Q" }] } }, "queues in the zone eu"],
    ["a cron trigger", { triggers: { crons: ["* * * * *"] } }, "triggers in the zone eu"],
    [
      "a binding that nobody has reviewed",
      { teleporters: [{ binding: "T" }] },
      "teleporters in the zone eu: it is not on the list",
    ],
    ["Smart Placement", { placement: { mode: "smart" } }, "Smart Placement"],
    ["placement near a region", { placement: { region: "aws:us-east-1" } }, "Smart Placement"],
    ["workers.dev", { workers_dev: true }, "workers_dev is true"],
    ["workers.dev by default", { workers_dev: undefined }, "workers_dev is not set"],
    ["preview addresses", { preview_urls: true }, "preview_urls is true"],
    ["an old compatibility date", { compatibility_date: "2025-11-16" }, "no exports of itself"],
    ["no compatibility date", { compatibility_date: undefined }, "no exports of itself"],
    ["exports switched off", { compatibility_flags: ["disable_ctx_exports"] }, "disable_ctx_exports is set"],
    ["no route", { routes: [] }, "no route"],
    ["the other zone's route", { routes: ["kattegat.example/*"] }, "is not the zone eu's host name"],
    [
      "a route that covers every host",
      { routes: ["*.kattegat.example/*"] },
      "is not the zone eu's host name",
    ],
    [
      "no EU bucket",
      { r2_buckets: [GLOBAL_BUCKET] },
      "searches the bucket kattegat-cold-eu, which is not bound",
    ],
    [
      "the EU bucket without its jurisdiction",
      { r2_buckets: [{ ...EU_BUCKET, jurisdiction: undefined }, GLOBAL_BUCKET] },
      "jurisdiction not set",
    ],
    [
      "a bucket that the network file does not know",
      { r2_buckets: [EU_BUCKET, GLOBAL_BUCKET, { binding: "X", bucket_name: "x" }] },
      "no edge site with the bucket x",
    ],
    [
      "another bucket for previews",
      { r2_buckets: [{ ...EU_BUCKET, preview_bucket_name: "x" }, GLOBAL_BUCKET] },
      "preview bucket x",
    ],
  ])("refuses %s in the zone eu", (_title, change, found) => {
    expect(worker("eu", { ...EU, ...change }).join("\n")).toContain(found);
  });

  it.each([
    ["the EU bucket", { r2_buckets: [GLOBAL_BUCKET, EU_BUCKET] }],
    [
      "the EU bucket that hides its jurisdiction",
      { r2_buckets: [GLOBAL_BUCKET, { ...EU_BUCKET, jurisdiction: undefined }] },
    ],
  ])("refuses %s in the zone global", (_title, change) => {
    expect(worker("global", { ...GLOBAL, ...change })).toEqual([
      "the bucket kattegat-cold-eu has the jurisdiction eu and is bound in the zone global",
    ]);
  });

  it("accepts an old compatibility date with the flag that brings exports", () => {
    const flags = { compatibility_date: "2025-01-01", compatibility_flags: ["enable_ctx_exports"] };
    expect(worker("eu", { ...EU, ...flags })).toEqual([]);
  });

  it("reads the environment that is deployed, with what it inherits from the top level and what it does not", () => {
    const { routes, r2_buckets, ...shared } = EU;
    expect(worker("eu", { ...shared, env: { eu: { routes, r2_buckets } } }, "eu")).toEqual([]);
    expect(
      worker(
        "eu",
        { ...shared, kv_namespaces: [{ binding: "KV" }], env: { eu: { routes, r2_buckets } } },
        "eu",
      ),
    ).toEqual([]);
    expect(
      worker("eu", { ...shared, placement: { mode: "smart" }, env: { eu: { routes, r2_buckets } } }, "eu"),
    ).toHaveLength(1);
    expect(worker("eu", { ...EU, env: { eu: { routes } } }, "eu").join()).toContain(
      "kattegat-cold-eu, which is not bound",
    );
  });

  it.each([[undefined], [null], ["text"], [[]]])("refuses a file that parsed to %j", (settings) => {
    expect(worker("eu", settings)).toEqual(["not an object of settings"]);
  });

  it("refuses a file without the environment that is deployed", () => {
    expect(worker("eu", EU, "production")).toEqual(["not an object of settings"]);
  });
});

function foundOn(day: string): string {
  return checkNetwork(NETWORK, { today: day })
    .map((finding) => finding.found)
    .join("\n");
}

function errors(network: Network, day: string): readonly string[] {
  return checkNetwork(network, { today: day })
    .filter((finding) => finding.severity === "error")
    .map((finding) => finding.found);
}

function worker(zone: "eu" | "global", settings: unknown, environment?: string): readonly string[] {
  const file = {
    file: "edge/wrangler.jsonc",
    zone,
    settings,
    ...(environment === undefined ? {} : { environment }),
  };
  return checkNetwork(NETWORK, { today, workers: [file] })
    .filter((finding) => finding.severity === "error")
    .map((finding) => finding.found);
}
