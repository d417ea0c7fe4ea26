/** Finds what is wrong between the parts of a network file whose parts are each well formed. */
import { isCountryCode } from "./country.ts";
import { TIER_NAMES } from "./network.ts";
import type { Network } from "./network.ts";
import { placement } from "./placement.ts";
import type { Problem } from "./problem.ts";
import { ANYWHERE } from "./residency-class.ts";
import { mayHold } from "./residency.ts";
import { countryProblem, siteInconsistencies } from "./site-consistency.ts";

/** The parts that are well formed; a check whose parts are missing is left out, because their own problem is reported already. */
export type NetworkParts = { readonly [Key in keyof Network]?: Network[Key] | undefined };

export function inconsistencies(parts: NetworkParts): readonly Problem[] {
  return [
    ...(parts.sites === undefined ? [] : siteInconsistencies(parts.sites)),
    ...(parts.tiers === undefined ? [] : tierProblems(parts.tiers)),
    ...(parts.country_groups === undefined ? [] : groupProblems(parts.country_groups)),
    ...classProblems(parts),
    ...homeProblems(parts),
    ...embeddingProblems(parts),
    ...synchronousProblems(parts),
  ];
}

function tierProblems(tiers: Network["tiers"]): Problem[] {
  return [...orderProblems(tiers), ...deadlineProblems(tiers)];
}

/** A search that stops waiting before the promised time makes the promise unkeepable. */
function deadlineProblems(tiers: Network["tiers"]): Problem[] {
  return TIER_NAMES.flatMap((name) => {
    const { deadline_ms: received, budget_ms: least } = tiers[name];
    if (received >= least) return [];
    const path = ["tiers", name, "deadline_ms"];
    return [{ path, expected: `at least ${least}, its budget_ms`, received, write: `deadline_ms: ${least}` }];
  });
}

function orderProblems(tiers: Network["tiers"]): Problem[] {
  return TIER_NAMES.flatMap((name, index) => {
    const faster = TIER_NAMES[index - 1];
    if (faster === undefined) return [];
    return (["capacity", "budget_ms", "deadline_ms"] as const).flatMap((field) => {
      const least = tiers[faster][field];
      const received = tiers[name][field];
      if (received >= least) return [];
      return [
        {
          path: ["tiers", name, field],
          expected: `at least ${least}, the ${field} of the faster tier ${faster}`,
          received,
          write: `${field}: ${least}`,
        },
      ];
    });
  });
}

function groupProblems(groups: Network["country_groups"]): Problem[] {
  return Object.entries(groups).flatMap(([name, group]) => {
    const at = ["country_groups", name] as const;
    const problems: Problem[] = [];
    if (isCountryCode(name) || name === ANYWHERE) {
      problems.push({
        path: at,
        atKey: true,
        expected: "a group name that is neither a country code nor anywhere",
        received: name,
        write: `another name, such as ${name}-group`,
      });
    }
    group.countries.forEach((country, index) => {
      if (!isCountryCode(country)) problems.push(countryProblem([...at, "countries", index], country, "DK"));
      else if (group.countries.indexOf(country) !== index)
        problems.push({
          path: [...at, "countries", index],
          expected: "each country once",
          received: country,
          write: `${country} once`,
        });
    });
    for (const country of Object.keys(group.until ?? {})) {
      if (!group.countries.includes(country)) {
        problems.push({
          path: [...at, "until", country],
          atKey: true,
          expected: `a country of the group ${name}`,
          received: country,
          write: `${country} in countries too, or remove it here`,
        });
      }
    }
    return problems;
  });
}

function classProblems({ classes, country_groups: groups }: NetworkParts): Problem[] {
  if (classes === undefined) return [];
  return Object.entries(classes).flatMap(([name, rules]) => {
    const at = ["classes", name] as const;
    const problems: Problem[] = [];
    for (const field of ["store", "transit", "serve"] as const) {
      rules[field].countries.forEach((entry, index) => {
        if (
          entry === ANYWHERE ||
          isCountryCode(entry) ||
          groups === undefined ||
          Object.hasOwn(groups, entry)
        )
          return;
        problems.push({
          path: [...at, field, "countries", index],
          expected: `a country code, ${ANYWHERE}, or one of the country groups ${Object.keys(groups).join(", ")}`,
          received: entry,
          write: "one of these, or declare the group under country_groups",
        });
      });
    }
    for (const field of ["store", "cache"] as const) {
      for (const zone of rules[field].zones) {
        if (!rules.transit.zones.includes(zone)) {
          problems.push({
            path: [...at, "transit", "zones"],
            expected: `the zone ${zone}, because ${field} allows it: what rests in a zone also passes through it`,
            received: rules.transit.zones,
            write: `zones: [${[...rules.transit.zones, zone].join(", ")}]`,
          });
        }
      }
    }
    for (const entry of rules.store.countries) {
      if (!rules.transit.countries.includes(entry) && !rules.transit.countries.includes(ANYWHERE)) {
        problems.push({
          path: [...at, "transit", "countries"],
          expected: `${entry}, because store allows it: what rests in a country also passes through it`,
          received: rules.transit.countries,
          write: `countries: [${[...rules.transit.countries, entry].join(", ")}]`,
        });
      }
    }
    return problems;
  });
}

/** The primary stores the record of every document, so a class that it may not hold has no home in any tier. */
function homeProblems({ sites, classes, country_groups: groups, tiers }: NetworkParts): Problem[] {
  const primary = sites?.find((site) => site.kind === "primary");
  if (
    sites === undefined ||
    classes === undefined ||
    groups === undefined ||
    tiers === undefined ||
    primary === undefined
  )
    return [];
  const network = { sites, classes, country_groups: groups };
  return Object.entries(classes).flatMap(([residency, rules]) => {
    const homeless = TIER_NAMES.filter(
      (tier) => placement({ residency, tier }, network).length === 0 || !mayHold(network, residency, primary),
    );
    if (homeless.length === 0) return [];
    const country = primary.country ?? "no country";
    return [
      {
        path: ["classes", residency, "store"],
        expected: `a legal site for class ${residency} in tier ${homeless.join(", ")}: the record of every document rests at the primary, ${primary.id} in ${country}, which store does not allow`,
        received: rules.store,
        write: `${country} into store.countries if the law allows it, or let the primary be in a country that store allows`,
      },
    ];
  });
}

function embeddingProblems({ embedding }: NetworkParts): Problem[] {
  if (embedding?.provider === "openai" && embedding.url === undefined) {
    return [
      {
        path: ["embedding", "url"],
        expected: "the base URL of the endpoint, because provider is openai",
        received: undefined,
        write: "url: http://127.0.0.1:11434/v1",
      },
    ];
  }
  if (embedding?.provider === "hashed" && embedding.url !== undefined) {
    return [
      {
        path: ["embedding", "url"],
        atKey: true,
        expected: "no url, because provider is hashed",
        received: embedding.url,
        write: "nothing: remove url, or provider: openai",
      },
    ];
  }
  return [];
}

function synchronousProblems({ sites, writes }: NetworkParts): Problem[] {
  if (
    sites === undefined ||
    writes?.synchronous !== true ||
    sites.some((site) => site.kind === "standby" && site.running)
  )
    return [];
  return [
    {
      path: ["writes", "synchronous"],
      expected: "a running standby, because writes wait for one",
      received: true,
      write: "synchronous: false, or running: true at a standby",
    },
  ];
}
