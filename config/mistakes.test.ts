import { describe, expect, it } from "vitest";

import { parseNetwork } from "./load.ts";
import { POLICY_TEXT } from "./policy.fixture.ts";
import { NetworkFileError } from "./yaml-text.ts";

/** What to change in the file; then the path, a part of the reason, a part of the remedy. load.test.ts has those of sites, tiers and models. */
const MISTAKES: readonly (readonly [
  title: string,
  from: string,
  to: string,
  path: string,
  why: string,
  write: string,
])[] = [
  [
    "an operator under no law",
    "jurisdictions: [DE] }",
    "jurisdictions: [] }",
    "sites[2].operator.jurisdictions",
    "whose law",
    "[US]",
  ],
  [
    "an operator under the law of no country",
    "jurisdictions: [DE] }",
    "jurisdictions: [XK] }",
    "sites[2].operator.jurisdictions[0]",
    "assigned",
    "DK",
  ],
  [
    "an operator without a name",
    "{ name: Example Hosting GmbH, jurisdictions",
    "{ jurisdictions",
    "sites[2].operator.name",
    "company",
    "name: Cloudflare",
  ],
  [
    "a stay without a reason",
    "      reason: The Minister of Justice can order that a public register is kept in Denmark alone.\n",
    "",
    "classes.dk-only.stays_in.reason",
    "why",
    "reason:",
  ],
  [
    "a stay without a reference",
    "alone.\n      reference: databeskyttelsesloven § 3, stk. 9\n",
    "alone.\n",
    "classes.dk-only.stays_in.reference",
    "law",
    "reference:",
  ],
  [
    "a stay in no country",
    "stays_in:\n      country: DK",
    "stays_in:\n      country: XK",
    "classes.dk-only.stays_in.country",
    "assigned",
    "country: DK",
  ],
  [
    "a stay that the store leaves",
    "    store:\n      countries: [DK]",
    "    store:\n      countries: [DK, SE]",
    "classes.dk-only.store.countries",
    "DK alone, because stays_in",
    "countries: [DK]",
  ],
  [
    "a stay that rests in a zone",
    "countries: [DK]\n      zones: []",
    "countries: [DK]\n      zones: [eu]",
    "classes.dk-only.store.zones",
    "no zone is one country",
    "zones: []",
  ],
  [
    "a stay that is cached",
    "    cache:\n      zones: []",
    "    cache:\n      zones: [eu]",
    "classes.dk-only.cache.zones",
    "no zone is one country",
    "zones: []",
  ],
  [
    "a stay whose content passes elsewhere",
    "      allows_transit: true\n",
    "",
    "classes.dk-only.transit.zones",
    "no zone is one country",
    "allows_transit: true",
  ],
  [
    "a transit that is neither allowed nor refused",
    "allows_transit: true",
    "allows_transit: false",
    "classes.dk-only.stays_in.allows_transit",
    "memory elsewhere",
    "allows_transit: true",
  ],
  [
    "personal data that is neither",
    "personal_data: false",
    "personal_data: none",
    "classes.global.personal_data",
    "silence means",
    "personal_data: true",
  ],
  [
    "an excluded law of no country",
    "exclude_law: [US]",
    "exclude_law: [UK]",
    "classes.sealed.operators.exclude_law[0]",
    "assigned",
    "US",
  ],
  [
    "an exclusion of nobody",
    "exclude_law: [US]",
    "exclude_law: []",
    "classes.sealed.operators.exclude_law",
    "under whose law",
    "[US]",
  ],
  [
    "an exclusion without a reference",
    "      reference: Art. 48 GDPR\n",
    "",
    "classes.sealed.operators.reference",
    "law",
    "reference:",
  ],
  [
    "a transfer by a provision that allows none",
    "basis: Art. 46(2)(c)",
    "basis: Art. 6(1)(f)",
    "classes.branches.transfers[0].basis",
    "46(2)(a) to (f)",
    "Art. 46(2)(c)",
  ],
  [
    "a transfer to an unknown group",
    "to: [SG]",
    "to: [ASEAN]",
    "classes.branches.transfers[0].to[0]",
    "country groups EU",
    "declare the group",
  ],
  [
    "a transfer to nowhere",
    "to: [SG]",
    "to: []",
    "classes.branches.transfers[0].to",
    "country codes",
    "[DK]",
  ],
  [
    "a transfer that ends on no day",
    "until: 2028-06-30",
    "until: 2028-6-30",
    "classes.branches.transfers[0].until",
    "year-month-day",
    "2031-12-27",
  ],
  [
    "a retention of two kinds",
    "      until: 2030-12-31",
    "      until: 2030-12-31\n      keep_days: 10",
    "classes.branches.retention",
    "either keep_days",
    "from: created_at",
  ],
  [
    "a retention of no kind",
    "      until: 2030-12-31\n",
    "",
    "classes.branches.retention",
    "either keep_days",
    "until:",
  ],
  [
    "a period from no date",
    "      from: created_at\n",
    "",
    "classes.acme-eu.retention.from",
    "from which keep_days counts",
    "from: published_at",
  ],
  [
    "a date with a start",
    "      until: 2030-12-31",
    "      until: 2030-12-31\n      from: created_at",
    "classes.branches.retention.from",
    "no from beside until",
    "remove from",
  ],
  [
    "a period of no days",
    "keep_days: 1826",
    "keep_days: 0",
    "classes.acme-eu.retention.keep_days",
    "1 to 36525",
    "keep_days: 1826",
  ],
  [
    "a class that narrows one that is not there",
    "narrows: eu",
    "narrows: europe",
    "classes.acme-eu.narrows",
    "another class",
    "dk-only, eu",
  ],
  [
    "a class that narrows itself",
    "narrows: eu",
    "narrows: acme-eu",
    "classes.acme-eu.narrows",
    "another class",
    "dk-only, eu",
  ],
  [
    "a narrower class that stores in more countries (I22)",
    "store: { countries: [DK, DE], zones: [] }\n    transit: { countries: [DK, DE]",
    "store: { countries: [DK, NO], zones: [] }\n    transit: { countries: [DK, NO]",
    "classes.acme-eu.store",
    "class eu does not allow",
    "or narrower",
  ],
  [
    "a narrower class that is served for longer than a listing lasts",
    "    serve: { countries: [EU, GB] }",
    "    serve: { countries: [EU, GB] }\n    transfers: [{ to: [GB], basis: Art. 47, reason: x, reference: y }]",
    "classes.acme-eu.serve",
    "class eu does not allow",
    "or narrower",
  ],
  [
    "a narrower class that passes through another zone",
    "transit: { countries: [DK, DE], zones: [eu] }\n    serve: { countries: [EU, GB]",
    "transit: { countries: [DK, DE], zones: [eu, global] }\n    serve: { countries: [EU, GB]",
    "classes.acme-eu.transit",
    "class eu does not allow",
    "or narrower",
  ],
  [
    "a narrower class that lets go of an exclusion",
    "    narrows: eu",
    "    narrows: sealed",
    "classes.acme-eu.operators",
    "class sealed does not allow",
    "as in class sealed",
  ],
  [
    "a narrower class that is kept for longer",
    "    narrows: eu",
    "    narrows: branches",
    "classes.acme-eu.retention",
    "class branches does not allow",
    "as in class branches",
  ],
  [
    "a tenant with an unknown class",
    "classes: [acme-eu, global] }",
    "classes: [acme, global] }",
    "tenants.acme.classes[0]",
    "one of the classes",
    "declare the class",
  ],
  [
    "a tenant without a collection",
    "collections: [acme-contracts, acme-mail]",
    "collections: []",
    "tenants.acme.collections",
    "this tenant's alone",
    "acme-contracts",
  ],
  [
    "a collection of two tenants",
    "tenants:\n",
    "tenants:\n  other: { collections: [acme-mail], classes: [eu] }\n",
    "tenants.acme.collections[1]",
    "the tenant other's",
    "another collection",
  ],
  [
    "a log without an operator",
    "    signal: logs\n    country: DK\n    operator: { name: Example Hosting A/S, jurisdictions: [DK] }\n",
    "    signal: logs\n    country: DK\n",
    "telemetry[0].operator",
    "who runs",
    "operator:",
  ],
  [
    "a signal that is none",
    "signal: metrics",
    "signal: profiles",
    "telemetry[1].signal",
    "logs, metrics, traces",
    "signal: logs",
  ],
  [
    "metadata of an unknown class",
    "classes: [eu, global, branches]",
    "classes: [eu, world]",
    "telemetry[1].classes[1]",
    "one of the classes",
    "declare the class",
  ],
  [
    "a destination in no country",
    "    country: IE",
    "    country: EU",
    "telemetry[1].country",
    "assigned",
    "DK",
  ],
  [
    "two destinations of one name",
    "name: metrics-eu",
    "name: logs-dk",
    "telemetry[1].name",
    "telemetry[0] has it",
    "another name",
  ],
  [
    "a backup of an unknown site",
    "    of: dk-cph",
    "    of: dk-ode",
    "backups[0].of",
    "one of the sites",
    "one of these",
  ],
  [
    "a copy of a backup in no country",
    "replicas: [DK]",
    "replicas: [EU]",
    "backups[0].replicas[0]",
    "assigned",
    "DK",
  ],
  ["keys in no country", "keys_in: DK", "keys_in: XX", "backups[0].encryption.keys_in", "assigned", "DK"],
  [
    "a failover to an unknown site",
    "{ of: dk-cph, to: dk-aar }",
    "{ of: dk-cph, to: dk-ode }",
    "failover[0].to",
    "one of the sites",
    "one of these",
  ],
  [
    "a failover to a site of another kind",
    "{ of: dk-cph, to: dk-aar }",
    "{ of: dk-cph, to: eu-fra }",
    "failover[0].to",
    "of kind standby",
    "dk-aar",
  ],
  [
    "a failover of a site to itself",
    "{ of: dk-cph, to: dk-aar }",
    "{ of: eu-fra, to: eu-fra }",
    "failover[0].to",
    "another site of kind regional",
    "eu-arn",
  ],
  [
    "an organisation without purposes",
    "  purposes: [Search in case law and contracts]\n",
    "",
    "organisation.purposes",
    "purposes",
    "Search in case law",
  ],
  [
    "an organisation in no role",
    "role: processor",
    "role: owner",
    "organisation.role",
    "controller, processor",
    "role: processor",
  ],
];

describe("a network file with conditions, tenants and destinations", () => {
  it("is valid as the fixture has it, in which every mistake is made once", () => {
    expect(() => parseNetwork(POLICY_TEXT)).not.toThrow();
    expect(MISTAKES.length).toBeGreaterThanOrEqual(40);
  });

  it.each(MISTAKES)("reports %s with path, reason and remedy", (_title, from, to, path, why, write) => {
    expect(POLICY_TEXT).toContain(from);
    const { problems, message } = failureOf(POLICY_TEXT.replace(from, to));
    const problem = problems.find(
      (candidate) =>
        message.includes(`${path} (line ${candidate.line})`) &&
        candidate.expected.includes(why) &&
        candidate.write.includes(write),
    );
    expect(problem, message).toBeDefined();
  });
});

function failureOf(text: string): NetworkFileError {
  try {
    parseNetwork(text);
  } catch (error) {
    if (error instanceof NetworkFileError) return error;
    throw error;
  }
  throw new Error("the file was taken for a valid one");
}
