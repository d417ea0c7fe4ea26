/** Finds what is wrong between the fields of a site, or between sites. */
import { isCountryCode } from "./country.ts";
import type { Site, SiteKind } from "./network.ts";
import type { PathStep, Problem } from "./problem.ts";
import { ZONES } from "./residency-class.ts";
import type { NetworkParts, ReadSite } from "./well-formed.ts";

/** What each kind of site must say of itself, besides what every site says. */
const REQUIRED: Record<SiteKind, readonly (keyof Site)[]> = {
  primary: ["country"],
  standby: ["country"],
  regional: ["country", "qdrant"],
  edge: ["zone", "hostname", "bucket"],
  archive: ["country", "bucket"],
};

const FORBIDDEN: Record<SiteKind, readonly (keyof Site)[]> = {
  primary: ["zone", "bucket", "qdrant", "retiring"],
  standby: ["zone", "bucket", "qdrant", "retiring"],
  regional: ["zone", "bucket"],
  edge: ["country", "city", "location", "qdrant"],
  archive: ["zone", "qdrant", "hostname", "retiring"],
};

const EXAMPLES: Partial<Record<keyof Site, string>> = {
  country: "country: DK",
  zone: "zone: eu",
  hostname: "hostname: search.example.dk",
  bucket: "bucket: { name: kattegat-archive-dk }",
  qdrant: "qdrant: { replication_factor: 2, write_consistency_factor: 2 }",
};

export function siteInconsistencies({
  sites,
  isEverySiteRead,
}: Pick<NetworkParts, "sites" | "isEverySiteRead">): readonly Problem[] {
  if (sites === undefined) return [];
  return [
    ...siteProblems(sites),
    ...uniqueProblems(sites),
    ...primaryProblems(sites, { isEverySiteRead }),
    ...zoneProblems(sites),
  ];
}

function siteProblems(sites: readonly ReadSite[]): Problem[] {
  return sites.flatMap(({ site, index, unread }) => {
    const at = ["sites", index] as const;
    const problems: Problem[] = [];
    for (const field of REQUIRED[site.kind]) {
      if (site[field] === undefined && !unread.has(field)) {
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
    const zoned = unread.has("zone") ? [] : bucketProblems(site, at);
    return [...problems, ...zoned, ...qdrantProblems(site, at)];
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
function uniqueProblems(sites: readonly ReadSite[]): Problem[] {
  const values = [
    { field: ["id"], of: (site: Site) => site.id },
    { field: ["hostname"], of: (site: Site) => site.hostname },
    { field: ["bucket", "name"], of: (site: Site) => site.bucket?.name },
  ] as const;
  return values.flatMap(({ field, of }) =>
    sites.flatMap(({ site, index }) => {
      const value = of(site);
      const first = sites.find((other) => of(other.site) === value)?.index ?? index;
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

function primaryProblems(
  sites: readonly ReadSite[],
  { isEverySiteRead }: { readonly isEverySiteRead: boolean },
): Problem[] {
  const problems: Problem[] = [];
  const primaries = sites.filter(({ site }) => site.kind === "primary");
  if (primaries.length === 0 && isEverySiteRead) {
    problems.push({
      path: ["sites"],
      expected: "exactly one site of kind primary",
      received: sites.map(({ site }) => site.kind),
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
  for (const { site, index, unread } of primaries.slice(0, 1)) {
    if (!site.running && !unread.has("running"))
      problems.push({
        path: ["sites", index, "running"],
        expected: "a running primary: without it nothing can be written",
        received: site.running,
        write: "running: true",
      });
  }
  return problems;
}

function zoneProblems(sites: readonly ReadSite[]): Problem[] {
  return ZONES.flatMap((zone) => {
    const edges = sites.filter(({ site }) => site.kind === "edge" && site.zone === zone);
    return edges.slice(1).map(({ index }) => ({
      path: ["sites", index, "zone"],
      expected: `one edge site per zone: sites[${edges[0]?.index ?? 0}] is the zone ${zone} already`,
      received: zone,
      write: "another zone, or remove this site",
    }));
  });
}

export function countryProblem(path: readonly PathStep[], received: string, write: string): Problem {
  return { path, expected: "an assigned ISO 3166-1 alpha-2 country code in capitals", received, write };
}
