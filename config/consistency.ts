/** Finds what is wrong between the parts of a network file whose parts are each well formed. */
import { isCountryCode } from "./country.ts";
import { ANYWHERE, TIER_NAMES } from "./network.ts";
import type { Network, Site, SiteKind } from "./network.ts";
import { placement } from "./placement.ts";
import type { PathStep, Problem } from "./problem.ts";
import { mayHold } from "./residency.ts";

/** The parts that are well formed; a check whose parts are missing is left out, because their own problem is reported already. */
export type NetworkParts = { readonly [Key in keyof Network]?: Network[Key] | undefined };

/** What each kind of site must say of itself, besides what every site says. */
const REQUIRED: Record<SiteKind, readonly (keyof Site)[]> = {
  primary: ["country"],
  standby: ["country"],
  regional: ["country", "qdrant"],
  edge: ["zone", "hostname", "bucket"],
  archive: ["country", "bucket"],
};

const FORBIDDEN: Record<SiteKind, readonly (keyof Site)[]> = {
  primary: ["zone", "bucket", "qdrant"],
  standby: ["zone", "bucket", "qdrant"],
  regional: ["zone", "bucket"],
  edge: ["country", "city", "location", "qdrant"],
  archive: ["zone", "qdrant", "hostname"],
};

const EXAMPLES: Partial<Record<keyof Site, string>> = {
  country: "country: DK",
  zone: "zone: eu",
  hostname: "hostname: search.example.dk",
  bucket: "bucket: { name: kattegat-archive-dk }",
  qdrant: "qdrant: { replication_factor: 2, write_consistency_factor: 2 }",
};

export function inconsistencies(parts: NetworkParts): readonly Problem[] {
  return [
    ...(parts.sites === undefined
      ? []
      : [...siteProblems(parts.sites), ...uniqueProblems(parts.sites), ...roleProblems(parts.sites)]),
    ...(parts.tiers === undefined ? [] : tierProblems(parts.tiers)),
    ...(parts.country_groups === undefined ? [] : groupProblems(parts.country_groups)),
    ...classProblems(parts),
    ...homeProblems(parts),
    ...embeddingProblems(parts),
    ...synchronousProblems(parts),
  ];
}

function siteProblems(sites: Network["sites"]): Problem[] {
  return sites.flatMap((site, index) => {
    const at = ["sites", index] as const;
    const problems: Problem[] = [];
    for (const field of REQUIRED[site.kind]) {
      if (site[field] === undefined) {
        const example =
          field === "bucket" && site.zone === "eu"
            ? "bucket: { name: kattegat-cold-eu, jurisdiction: eu }"
            : EXAMPLES[field];
        problems.push({
          path: [...at, field],
          expected: `a ${field}, because ${site.id} is of kind ${site.kind}`,
          received: undefined,
          write: `${example ?? field}`,
        });
      }
    }
    for (const field of FORBIDDEN[site.kind]) {
      if (site[field] !== undefined) {
        problems.push({
          path: [...at, field],
          atKey: true,
          expected: `no ${field} at a site of kind ${site.kind}`,
          received: site[field],
          write: `nothing: remove ${field} from ${site.id}`,
        });
      }
    }
    if (site.country !== undefined && !isCountryCode(site.country))
      problems.push(countryProblem([...at, "country"], site.country, "country: DK"));
    return [...problems, ...bucketProblems(site, at), ...qdrantProblems(site, at)];
  });
}

function bucketProblems(site: Site, at: readonly PathStep[]): Problem[] {
  if (site.bucket === undefined) return [];
  const path = [...at, "bucket", "jurisdiction"];
  const received = site.bucket.jurisdiction;
  if (site.zone === "eu" && received !== "eu") {
    return [
      {
        path,
        expected: `jurisdiction eu, because ${site.id} is in the zone eu`,
        received,
        write: `bucket: { name: ${site.bucket.name}, jurisdiction: eu }`,
      },
    ];
  }
  if (site.zone !== "eu" && received === "eu") {
    const why =
      site.zone === "global"
        ? "an EU bucket is never bound in the zone global"
        : "only R2 buckets of edge sites have a jurisdiction";
    return [
      {
        path,
        atKey: true,
        expected: `no jurisdiction at ${site.id}: ${why}`,
        received,
        write: `bucket: { name: ${site.bucket.name} }, or zone: eu`,
      },
    ];
  }
  return [];
}

function qdrantProblems(site: Site, at: readonly PathStep[]): Problem[] {
  if (site.qdrant === undefined || site.qdrant.write_consistency_factor <= site.qdrant.replication_factor)
    return [];
  return [
    {
      path: [...at, "qdrant", "write_consistency_factor"],
      expected: `at most replication_factor, ${site.qdrant.replication_factor}: more copies than exist can never confirm a write`,
      received: site.qdrant.write_consistency_factor,
      write: `write_consistency_factor: ${site.qdrant.replication_factor}`,
    },
  ];
}

/** Two sites with one id, host name or bucket would answer for each other's data. */
function uniqueProblems(sites: Network["sites"]): Problem[] {
  const values = [
    { field: ["id"], of: (site: Site) => site.id },
    { field: ["hostname"], of: (site: Site) => site.hostname },
    { field: ["bucket", "name"], of: (site: Site) => site.bucket?.name },
  ] as const;
  return values.flatMap(({ field, of }) =>
    sites.flatMap((site, index) => {
      const value = of(site);
      const first = sites.findIndex((other) => of(other) === value);
      if (value === undefined || first === index) return [];
      const name = field.join(" ");
      return [
        {
          path: ["sites", index, ...field],
          expected: `a ${name} of its own: sites[${first}] has it already`,
          received: value,
          write: `another ${name}`,
        },
      ];
    }),
  );
}

function roleProblems(sites: Network["sites"]): Problem[] {
  const problems: Problem[] = [];
  const primaries = sites.flatMap((site, index) => (site.kind === "primary" ? [{ site, index }] : []));
  if (primaries.length === 0) {
    problems.push({
      path: ["sites"],
      expected: "exactly one site of kind primary",
      received: sites.map((site) => site.kind),
      write: "kind: primary at the site that is the system of record",
    });
  }
  for (const { site, index } of primaries.slice(1)) {
    problems.push({
      path: ["sites", index, "kind"],
      expected: `exactly one site of kind primary: ${primaries[0]?.site.id ?? ""} is it already`,
      received: site.kind,
      write: "kind: standby",
    });
  }
  for (const { site, index } of primaries.slice(0, 1)) {
    if (!site.running)
      problems.push({
        path: ["sites", index, "running"],
        expected: "a running primary: without it nothing can be written",
        received: site.running,
        write: "running: true",
      });
  }
  for (const zone of ["eu", "global"] as const) {
    const edges = sites.flatMap((site, index) => (site.kind === "edge" && site.zone === zone ? [index] : []));
    for (const index of edges.slice(1)) {
      problems.push({
        path: ["sites", index, "zone"],
        expected: `one edge site per zone: sites[${edges[0] ?? 0}] is the zone ${zone} already`,
        received: zone,
        write: "another zone, or remove this site",
      });
    }
  }
  return problems;
}

function tierProblems(tiers: Network["tiers"]): Problem[] {
  return TIER_NAMES.flatMap((name, index) => {
    const faster = TIER_NAMES[index - 1];
    if (faster === undefined) return [];
    return (["capacity", "budget_ms"] as const).flatMap((field) => {
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

function countryProblem(path: readonly PathStep[], received: string, write: string): Problem {
  return { path, expected: "an assigned ISO 3166-1 alpha-2 country code in capitals", received, write };
}
