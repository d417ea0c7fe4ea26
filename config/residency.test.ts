import { readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import { COUNTRY_CODES } from "./country.ts";
import { parseNetwork } from "./load.ts";
import type { Network } from "./network.ts";
import { TRUTH_TABLE } from "./residency.fixture.ts";
import { mayCache, mayHold, mayPass, mayServe, servedClasses } from "./residency.ts";

const NETWORK = parseNetwork(readFileSync(new URL("network.yaml", import.meta.url), "utf8"));
const TODAY = "2026-11-23";
const CLASSES = ["dk-only", "eu", "global"] as const;

const ROWS = TRUTH_TABLE.trim()
  .split("\n")
  .map((row) => {
    const [country = "", ...cells] = row.split(" ");
    return { country, cells };
  });

describe("residency by country", () => {
  it("has a row for each ISO 3166-1 country, once", () => {
    expect(ROWS.map((row) => row.country)).toEqual([...COUNTRY_CODES]);
    expect(ROWS).toHaveLength(249);
  });

  it.each(ROWS)("decides for $country what the truth table says: $cells (I4)", ({ country, cells }) => {
    const network = withRegionalIn(country);
    const decided = CLASSES.map((className) => {
      const hold = mayHold(network, className, { id: "eu-fra" }, TODAY) ? "h" : "-";
      const serve = mayServe(network, className, country, TODAY) ? "s" : "-";
      return `${hold}${serve}`;
    });
    expect(decided).toEqual(cells);
  });

  it.each([
    "XX",
    "T1",
    "",
    "dk",
    "DK ",
    "EU",
    "EEA",
    "adequacy",
    "anywhere",
    "ZZ",
    "constructor",
    "__proto__",
    undefined,
    null,
  ])("serves a caller whose country is %j nothing but what is served anywhere (I4)", (country) => {
    expect(CLASSES.map((className) => mayServe(NETWORK, className, country, TODAY))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it.each(["", "DK-ONLY", "eu ", "secret", "constructor", "__proto__", "toString"])(
    "refuses the unknown class %j everything",
    (className) => {
      expect(mayServe(NETWORK, className, "DK", TODAY)).toBe(false);
      for (const site of NETWORK.sites) expect(mayHold(NETWORK, className, site, TODAY)).toBe(false);
      for (const zone of ["eu", "global"]) {
        expect(mayPass(NETWORK, className, zone)).toBe(false);
        expect(mayCache(NETWORK, className, zone)).toBe(false);
      }
    },
  );

  it("serves the United Kingdom on the last day of its adequacy decision, but not on the day after", () => {
    expect(mayServe(NETWORK, "eu", "GB", "2031-12-27")).toBe(true);
    expect(mayServe(NETWORK, "eu", "GB", "2031-12-28")).toBe(false);
    expect(mayServe(NETWORK, "eu", "CH", "2031-12-28")).toBe(true);
  });

  it("serves the Faroe Islands, which have an adequacy decision, but not Greenland, which has none", () => {
    expect(mayServe(NETWORK, "eu", "FO", TODAY)).toBe(true);
    expect(mayServe(NETWORK, "eu", "GL", TODAY)).toBe(false);
    expect(mayServe(NETWORK, "dk-only", "FO", TODAY)).toBe(false);
  });

  it("does not mistake the EEA for the EU: Norway may read, but not hold, a document of class eu", () => {
    expect(mayServe(NETWORK, "eu", "NO", TODAY)).toBe(true);
    expect(mayHold(withRegionalIn("NO"), "eu", { id: "eu-fra" }, TODAY)).toBe(false);
  });
});

describe("residency by site and zone", () => {
  it("holds each class exactly where the table says (I5)", () => {
    const holds = CLASSES.map((className) =>
      NETWORK.sites.filter((site) => mayHold(NETWORK, className, site, TODAY)).map((site) => site.id),
    );
    expect(holds).toEqual([
      ["dk-cph", "dk-aar", "archive-dk"],
      ["dk-cph", "dk-aar", "eu-fra", "eu-arn", "edge-eu", "archive-dk"],
      ["dk-cph", "dk-aar", "eu-fra", "eu-arn", "edge-eu", "edge-global", "archive-dk"],
    ]);
  });

  it("refuses a site that the network file does not list, whatever it says of itself (I5)", () => {
    const [primary] = NETWORK.sites;
    for (const className of CLASSES)
      expect(mayHold(NETWORK, className, { ...primary, id: "dk-ode" }, TODAY)).toBe(false);
  });

  it.each([
    { className: "dk-only", zone: "eu", pass: true, cache: false },
    { className: "dk-only", zone: "global", pass: false, cache: false },
    { className: "eu", zone: "eu", pass: true, cache: true },
    { className: "eu", zone: "global", pass: false, cache: false },
    { className: "global", zone: "eu", pass: true, cache: true },
    { className: "global", zone: "global", pass: true, cache: true },
    { className: "global", zone: "fedramp", pass: false, cache: false },
    { className: "global", zone: "", pass: false, cache: false },
    { className: "eu", zone: "EU", pass: false, cache: false },
  ])(
    "lets $className pass through the zone $zone: $pass, rest in its cache: $cache",
    ({ className, zone, pass, cache }) => {
      expect(mayPass(NETWORK, className, zone)).toBe(pass);
      expect(mayCache(NETWORK, className, zone)).toBe(cache);
    },
  );
});

describe("servedClasses", () => {
  it("serves a Danish caller everything at the EU host name", () => {
    expect(servedClasses(NETWORK, { zone: "eu", callerCountry: "DK", today: TODAY })).toEqual({
      served: ["dk-only", "eu", "global"],
      notServed: [],
    });
  });

  it("tells a Danish caller at the global host name that the zone eu would serve the rest", () => {
    expect(servedClasses(NETWORK, { zone: "global", callerCountry: "DK", today: TODAY })).toEqual({
      served: ["global"],
      notServed: [
        { className: "dk-only", reason: "hostname", alternateZone: "eu" },
        { className: "eu", reason: "hostname", alternateZone: "eu" },
      ],
    });
  });

  it("withholds because of the caller before the host name, so that it names no host name that would not serve either", () => {
    expect(servedClasses(NETWORK, { zone: "global", callerCountry: "SE", today: TODAY }).notServed).toEqual([
      { className: "dk-only", reason: "caller" },
      { className: "eu", reason: "hostname", alternateZone: "eu" },
    ]);
    expect(servedClasses(NETWORK, { zone: "eu", callerCountry: "US", today: TODAY }).notServed).toEqual([
      { className: "dk-only", reason: "caller" },
      { className: "eu", reason: "caller" },
    ]);
  });

  it("names no zone for a class whose transit no zone may carry: only the primary's own endpoint serves it", () => {
    const strict = {
      store: { countries: ["DK"], zones: [] },
      transit: { countries: ["DK"], zones: [] },
      serve: { countries: ["DK"] },
      cache: { zones: [] },
    };
    const network: Network = { ...NETWORK, classes: { ...NETWORK.classes, court: strict } };
    expect(servedClasses(network, { zone: "eu", callerCountry: "DK", today: TODAY }).notServed).toEqual([
      { className: "court", reason: "hostname" },
    ]);
  });

  it("names no zone whose edge site does not run", () => {
    const network: Network = {
      ...NETWORK,
      sites: NETWORK.sites.map((site) => (site.id === "edge-eu" ? { ...site, running: false } : site)),
    };
    expect(
      servedClasses(network, { zone: "global", callerCountry: "DK", today: TODAY }).notServed,
    ).toContainEqual({ className: "eu", reason: "hostname" });
  });

  it("serves nothing at an unknown zone (I4)", () => {
    expect(servedClasses(NETWORK, { zone: "mars", callerCountry: "DK", today: TODAY }).served).toEqual([]);
  });
});

function withRegionalIn(country: string): Network {
  return {
    ...NETWORK,
    sites: NETWORK.sites.map((site) => (site.id === "eu-fra" ? { ...site, country } : site)),
  };
}
