import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { COUNTRY_CODES } from "./country.ts";
import { parseNetwork } from "./load.ts";
import { PLACES, wideningsOf } from "./narrowing.ts";
import type { Network, ResidencyClass } from "./network.ts";
import { POLICY_TEXT } from "./policy.fixture.ts";
import { anyClass as rules } from "./residency-class.fixture.ts";
import {
  decideCache,
  decideHold,
  decidePass,
  decideServe,
  mayCache,
  mayHold,
  mayPass,
  mayRest,
  mayServe,
} from "./residency.ts";
import { keptUntil } from "./retention.ts";
import { carriedClasses, mayCarry } from "./tenants.ts";

const NETWORK = parseNetwork(POLICY_TEXT);
const today = "2026-11-26";

describe("operators", () => {
  it("keep a class from a place whose operator is under an excluded law, though it stands in the EU (I5)", () => {
    expect(mayHold(NETWORK, "sealed", { id: "eu-fra" }, today)).toBe(true);
    expect(mayHold(NETWORK, "sealed", { id: "edge-eu" }, today)).toBe(false);
    expect(mayPass(NETWORK, "sealed", "eu")).toBe(false);
    expect(mayPass(withSealed({ operators: undefined }), "sealed", "eu")).toBe(true);
  });

  it("keep it from a place whose operator nobody named (I5)", () => {
    const unnamed: Network = {
      ...NETWORK,
      sites: NETWORK.sites.map((site) => ({ ...site, operator: undefined })),
    };
    expect(mayHold(unnamed, "sealed", { id: "dk-cph" }, today)).toBe(false);
    expect(mayHold(unnamed, "eu", { id: "dk-cph" }, today)).toBe(true);
    expect(mayRest(NETWORK, "sealed", { country: "DK" }, today)).toBe(false);
  });

  it("keep a result from the cache of a zone", () => {
    const cached = withSealed({ cache: { zones: ["eu"] } });
    expect(mayCache(cached, "sealed", "eu", today)).toBe(false);
    expect(
      mayCache(withSealed({ cache: { zones: ["eu"] }, operators: undefined }), "sealed", "eu", today),
    ).toBe(true);
  });
});

describe("transfers", () => {
  it("let personal data leave the EU, the EEA and the adequate countries with a basis only, to its last day (I4)", () => {
    expect(mayServe(NETWORK, "branches", "SG", today)).toBe(true);
    expect(mayServe(NETWORK, "branches", "SG", "2028-06-30")).toBe(true);
    expect(mayServe(NETWORK, "branches", "SG", "2028-07-01")).toBe(false);
    expect(mayServe(NETWORK, "branches", "IN", today)).toBe(false);
  });

  it("are needed by a class that does not say whether it holds personal data (I4)", () => {
    const of = (personal_data: boolean | undefined): Network =>
      withSealed({ serve: { countries: ["SG"] }, personal_data });
    expect([true, undefined, false].map((personal) => mayServe(of(personal), "sealed", "SG", today))).toEqual(
      [false, false, true],
    );
  });

  it("are not read from a listing that has expired", () => {
    const network = withSealed({ serve: { countries: ["GB"] } });
    expect(mayServe(network, "sealed", "GB", "2031-12-27")).toBe(true);
    expect(mayServe(network, "sealed", "GB", "2031-12-28")).toBe(false);
  });

  it("to the zone global are transfers to anywhere", () => {
    const zones = { store: { countries: ["DK"], zones: ["global" as const] }, operators: undefined };
    const basis = { basis: "Art. 47", reason: "x", reference: "y" };
    const held = (to: string): boolean =>
      mayHold(
        withSealed({ ...zones, transfers: [{ to: [to], ...basis }] }),
        "sealed",
        { id: "edge-global" },
        today,
      );
    expect([held("US"), held("anywhere")]).toEqual([false, true]);
  });
});

describe("a stay in one country", () => {
  it("overrules whatever else the class lists (I5)", () => {
    const { "dk-only": dk } = NETWORK.classes;
    if (dk === undefined) throw new Error("no class dk-only");
    const wide: ResidencyClass = {
      ...dk,
      store: { countries: ["EU"], zones: ["eu"] },
      transit: { countries: ["EU"], zones: ["eu"] },
      cache: { zones: ["eu"] },
    };
    const network: Network = { ...NETWORK, classes: { wide } };
    expect(NETWORK.sites.filter((site) => mayHold(network, "wide", site, today)).map(({ id }) => id)).toEqual(
      ["dk-cph", "dk-aar", "archive-dk"],
    );
    expect(mayCache(network, "wide", "eu", today)).toBe(false);
    expect(mayPass(network, "wide", "eu")).toBe(true);
    const strict = { ...wide, stays_in: { country: "DK", reason: "x", reference: "y" } };
    expect(mayPass({ ...NETWORK, classes: { strict } }, "strict", "eu")).toBe(false);
  });
});

describe("retention", () => {
  it("until a date ends copies, answers and caches of the class with that day", () => {
    for (const [day, allowed] of [
      ["2030-12-31", true],
      ["2031-01-01", false],
    ] as const) {
      expect(mayHold(NETWORK, "branches", { id: "dk-cph" }, day)).toBe(allowed);
      expect(mayServe(NETWORK, "branches", "DK", day)).toBe(allowed);
      expect(mayCache(NETWORK, "branches", "eu", day)).toBe(allowed);
    }
  });

  it("of days counts from the date that it names, of each document", () => {
    const acme = NETWORK.classes["acme-eu"] ?? {};
    const dates = { created_at: "2024-02-28T12:00:00Z", published_at: null };
    expect(keptUntil(acme, dates)).toBe("2029-02-27");
    expect(
      keptUntil({ retention: { keep_days: 1, from: "published_at", reason: "x", reference: "y" } }, dates),
    ).toBe("9999-12-31");
  });
});

describe("tenants", () => {
  it("have collections that take their classes alone, and classes that no other collection takes (I22)", () => {
    expect(carriedClasses(NETWORK, "acme-mail")).toEqual(["global", "acme-eu"]);
    expect(mayCarry(NETWORK, "acme-mail", "eu")).toBe(false);
    expect(mayCarry(NETWORK, "default", "acme-eu")).toBe(false);
    expect(carriedClasses(NETWORK, "default")).toEqual(["dk-only", "eu", "global", "sealed", "branches"]);
  });

  it("do not own what a network without tenants has", () => {
    const { tenants: _, ...rest } = NETWORK;
    expect(mayCarry(rest, "anything", "acme-eu")).toBe(true);
    expect(mayCarry(rest, "anything", "secret")).toBe(false);
  });
});

describe("a decision", () => {
  const classes = [...Object.keys(NETWORK.classes), "secret"];
  const days = ["2026-11-26", "2028-07-01", "2031-12-28"];

  it("says the same with its rules as without, and tells a rule that decided, for every question", () => {
    for (const name of classes) {
      for (const day of days) {
        for (const site of NETWORK.sites)
          expectSame(mayHold(NETWORK, name, site, day), decideHold(NETWORK, name, site, day));
        for (const zone of ["eu", "global", "mars"]) {
          expectSame(mayPass(NETWORK, name, zone), decidePass(NETWORK, name, zone));
          expectSame(mayCache(NETWORK, name, zone, day), decideCache(NETWORK, name, zone, day));
        }
        for (const country of [...COUNTRY_CODES, "XX", null])
          expectSame(mayServe(NETWORK, name, country, day), decideServe(NETWORK, name, country, day));
      }
    }
  });

  it("gives the reason and the reference of the file", () => {
    expect(decideHold(NETWORK, "sealed", { id: "edge-eu" }, today).rules).toEqual([
      {
        path: "classes.sealed.operators",
        allows: false,
        until: null,
        says: "the operator Cloudflare, Inc. is under the law of US; excluded is US",
        reason: "The CLOUD Act reaches data in the EU.",
        reference: "Art. 48 GDPR",
      },
    ]);
    const [listing, transfer] = decideServe(NETWORK, "branches", "SG", today).rules;
    expect(listing?.says).toBe("SG is listed by itself");
    expect(transfer).toMatchObject({
      says: "a transfer by Art. 46(2)(c) until 2028-06-30",
      reference: "Decision (EU) 2021/914, module 1",
      until: "2028-06-30",
    });
  });

  it("tells by which decision a country is adequate, and why one that is so in part does not count", () => {
    expect(decideServe(NETWORK, "eu", "FO", today).rules[0]?.says).toBe(
      "FO is in adequacy (Decision 2010/146/EU)",
    );
    expect(decideServe(NETWORK, "eu", "US", today).rules[0]?.says).toContain(
      "Decision (EU) 2023/1795 lists it in part: The decision covers organisations",
    );
  });
});

describe("a class that narrows another", () => {
  it("is never allowed what that one is not, at any place, on any day, by whatever operator (I22)", () => {
    let proven = 0;
    fc.assert(
      fc.property(rules, rules, fc.boolean(), (wide, other, isDerived) => {
        // Two random classes are hardly ever one within the other, so half of them start from the wide one.
        const narrow = isDerived ? { ...wide, serve: other.serve, cache: { zones: [] } } : other;
        const network = { ...NETWORK, classes: { wide, narrow } };
        if (wideningsOf(network, { narrow: "narrow", wide: "wide" }).length > 0) return;
        proven += 1;
        for (const { name: _, ...place } of PLACES) {
          for (const law of ["DK", "US", "CN"]) {
            const at = { ...place, operator: { name: "x", jurisdictions: [law] } };
            for (const on of ["2026-11-26", "2027-01-02", "2031-12-28", "2045-01-01"])
              if (mayRest(network, "narrow", at, on)) expect(mayRest(network, "wide", at, on)).toBe(true);
          }
          for (const on of ["2026-11-26", "2031-12-28"])
            if (mayServe(network, "narrow", place.country, on))
              expect(mayServe(network, "wide", place.country, on)).toBe(true);
        }
        for (const zone of ["eu", "global"]) {
          if (mayPass(network, "narrow", zone)) expect(mayPass(network, "wide", zone)).toBe(true);
          if (mayCache(network, "narrow", zone, today))
            expect(mayCache(network, "wide", zone, today)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
    expect(proven).toBeGreaterThan(20);
  });

  it("may be itself", () => {
    fc.assert(
      fc.property(rules, (own) => {
        const network = { ...NETWORK, classes: { wide: own, narrow: own } };
        expect(wideningsOf(network, { narrow: "narrow", wide: "wide" })).toEqual([]);
      }),
      { numRuns: 100 },
    );
  });
});

function expectSame(allowed: boolean, decision: ReturnType<typeof decideHold>): void {
  expect(decision.allowed).toBe(allowed);
  expect(decision.rules.length).toBeGreaterThan(0);
  expect(decision.rules.every(({ allows }) => allows === allowed)).toBe(true);
}

function withSealed(change: Partial<ResidencyClass>): Network {
  const { sealed } = NETWORK.classes;
  if (sealed === undefined) throw new Error("the fixture has no class sealed");
  return { ...NETWORK, classes: { ...NETWORK.classes, sealed: { ...sealed, ...change } } };
}
