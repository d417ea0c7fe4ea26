import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { NEVER } from "./day.ts";
import { diffNetworks } from "./diff.ts";
import type { ChangedRight } from "./diff.ts";
import { GRANT_KINDS } from "./grants.ts";
import { parseNetwork } from "./load.ts";
import { PLACES } from "./narrowing.ts";
import type { Network, Site } from "./network.ts";
import { POLICY_TEXT } from "./policy.fixture.ts";
import { anyClass } from "./residency-class.fixture.ts";
import { allowedUntil, mayCache, mayHold, mayPass, mayRest, mayServe } from "./residency.ts";
import { mayCarry } from "./tenants.ts";

const today = "2026-11-26";
const NETWORK = parseNetwork(POLICY_TEXT);
const edited = (from: string, to: string): Network => {
  expect(POLICY_TEXT).toContain(from);
  return parseNetwork(POLICY_TEXT.replace(from, to));
};
const lines = (rights: readonly ChangedRight[]): readonly string[] =>
  rights.map(({ kind, className, places }) => `${kind} ${className}: ${places.join(", ")}`);

describe("diffNetworks", () => {
  it("finds nothing between a network and itself", () => {
    expect(diffNetworks(NETWORK, parseNetwork(POLICY_TEXT), { today })).toMatchObject({
      copies: [],
      permitted: [],
      forbidden: [],
    });
  });

  it("finds what a country more permits, and the other way round what a country less forbids", () => {
    const wider = edited(
      "serve: { countries: [DK] }\n    cache: { zones: [] }\n    operators",
      "serve: { countries: [DK, SE] }\n    cache: { zones: [] }\n    operators",
    );
    const there = diffNetworks(NETWORK, wider, { today });
    expect(lines(there.permitted)).toEqual(["serve sealed: SE"]);
    expect(there).toMatchObject({ forbidden: [], copies: [] });
    const back = diffNetworks(wider, NETWORK, { today });
    expect(lines(back.forbidden)).toEqual(["serve sealed: SE"]);
    expect(back.permitted).toEqual([]);
  });

  it.each([
    [
      "an exclusion that goes",
      "      exclude_law: [US]",
      "      exclude_law: [CN]",
      "operators sealed: operators under the law of US",
    ],
    [
      "a longer retention",
      "keep_days: 1826",
      "keep_days: 1900",
      "retention acme-eu: 1900 days from created_at instead of 1826 days from created_at",
    ],
    ["a later basis of a transfer", "until: 2028-06-30", "until: 2029-06-30", "serve branches: SG"],
    [
      "a stay that goes",
      "    stays_in:\n      country: DK\n      allows_transit: true\n      reason: The Minister of Justice can order that a public register is kept in Denmark alone.\n      reference: databeskyttelsesloven § 3, stk. 9\n",
      "",
      "stays_in dk-only: copies outside DK",
    ],
    [
      "personal data that is none any more",
      "    description: Files that branches in third countries read.\n    personal_data: true",
      "    description: Files that branches in third countries read.\n    personal_data: false",
      "personal_data branches: transfers without a basis: personal_data is false",
    ],
    [
      "a site more",
      "  - id: archive-dk",
      "  - { id: eu-par, kind: regional, country: FR, running: false, qdrant: { replication_factor: 2, write_consistency_factor: 2 } }\n  - id: archive-dk",
      "site eu: eu-par",
    ],
    [
      "another operator of a zone",
      '{ name: "Cloudflare, Inc.", jurisdictions: [US] }',
      "{ name: Example Edge GmbH, jurisdictions: [DE] }",
      "zone sealed: eu",
    ],
    [
      "a tenant that lets go of its class",
      "classes: [acme-eu, global] }",
      "classes: [eu, acme-eu, global] }",
      "collection eu: acme-contracts, acme-mail",
    ],
    [
      "a log more",
      "    classes: [eu, global, branches]",
      "    classes: [eu, global, branches, acme-eu]",
      "telemetry acme-eu: metrics to metrics-eu (Example Metrics, Inc., IE)",
    ],
    [
      "a copy of a backup more",
      "replicas: [DK]",
      "replicas: [SE]",
      "backup eu: primary-daily (Example Hosting A/S, SE)",
    ],
  ])("takes %s for a widening", (_title, from, to, line) => {
    expect(lines(diffNetworks(NETWORK, edited(from, to), { today }).permitted)).toContain(line);
  });

  it("says which copies are moved, made and deleted, by class and tier", () => {
    const moved = (network: Network): readonly string[] =>
      diffNetworks(NETWORK, network, { today }).copies.map(
        ({ residency, tier, change, from, to }) =>
          `${change} ${residency} ${tier} ${from.join(" ")} > ${to.join(" ")}`,
      );
    const withRunning = (ids: Readonly<Record<string, boolean>>): Network => ({
      ...NETWORK,
      sites: NETWORK.sites.map((site): Site => ({ ...site, running: ids[site.id] ?? site.running })),
    });
    expect(moved(withRunning({ "eu-arn": false }))).toEqual([
      "delete eu warm eu-arn > ",
      "delete global warm eu-arn > ",
      "delete branches warm eu-arn > ",
    ]);
    expect(moved(withRunning({ "edge-eu": false }))).toEqual([
      "delete eu cold edge-eu > ",
      "delete branches cold edge-eu > ",
    ]);
    const withoutArchive = moved(withRunning({ "archive-dk": false }));
    expect(withoutArchive).toContain("delete dk-only hot archive-dk > ");
    expect(withoutArchive.every((line) => line.startsWith("delete "))).toBe(true);
    expect(moved(withRunning({ "edge-global": false }))).toEqual(["move global cold edge-global > edge-eu"]);
  });

  it("permits exactly when a decision goes from no to yes, on whatever day, and forbids when one goes back", () => {
    let widenings = 0;
    fc.assert(
      fc.property(anyNetwork, anyNetwork, fc.boolean(), (before, other, isSame) => {
        const after = isSame ? { ...before, sites: other.sites } : other;
        const { permitted, forbidden } = diffNetworks(before, after, { today });
        const isDecision = ({ kind }: ChangedRight): boolean => GRANT_KINDS.some((known) => known === kind);
        expect(permitted.some(isDecision)).toBe(goesToYes(before, after));
        expect(forbidden.some(isDecision)).toBe(goesToYes(after, before));
        widenings += permitted.some(isDecision) ? 1 : 0;
        if (before === after) expect([...permitted, ...forbidden]).toEqual([]);
      }),
      { numRuns: 100 },
    );
    expect(widenings).toBeGreaterThan(20);
  });
});

const anySites = fc.subarray([...NETWORK.sites], { minLength: 1 });
const anyTenants = fc.option(
  fc.record({
    acme: fc.record({
      collections: fc.constant(["acme"]),
      classes: fc.subarray(["one", "two"], { minLength: 1 }),
    }),
  }),
  { nil: undefined },
);
const anyNetwork: fc.Arbitrary<Network> = fc
  .record({
    one: anyClass,
    two: fc.option(anyClass, { nil: undefined }),
    sites: anySites,
    tenants: anyTenants,
  })
  .map(({ one, two, sites, tenants }) => ({
    ...NETWORK,
    telemetry: undefined,
    backups: undefined,
    classes: { one, ...(two === undefined ? {} : { two }) },
    sites,
    tenants,
  }));

/** Asks both every question on every day on which an answer can change. */
function goesToYes(before: Network, after: Network): boolean {
  const days = [
    "2026-11-26",
    "2027-01-01",
    "2027-01-02",
    "2031-12-27",
    "2031-12-28",
    "2040-01-01",
    "2040-01-02",
  ];
  const questions = (network: Network): boolean[] =>
    ["one", "two"].flatMap((name) => [
      ...["acme", "default"].map((collection) => mayCarry(network, collection, name)),
      ...["eu", "global"].map((zone) => mayPass(network, name, zone)),
      // No site asks this of a country yet; the file says it all the same.
      ...PLACES.map((place) => allowedUntil(network, { className: name, use: "transit", place }) !== NEVER),
      ...days.flatMap((day) => [
        ...NETWORK.sites.map((site) => mayHold(network, name, site, day)),
        ...["eu", "global"].map((zone) => mayCache(network, name, zone, day)),
        ...PLACES.map((place) => mayServe(network, name, place.country, day)),
        ...PLACES.map((place) => mayRest(network, name, place, day)),
      ]),
    ]);
  const was = questions(before);
  return questions(after).some((answer, index) => answer && was[index] !== true);
}
