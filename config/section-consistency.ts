/** Finds what is wrong in tenants, telemetry, backups and failover. */
import { isCountryCode } from "./country.ts";
import type { PathStep, Problem } from "./problem.ts";
import { countryProblem } from "./site-consistency.ts";
import type { NetworkParts } from "./well-formed.ts";

export function sectionProblems(parts: NetworkParts): readonly Problem[] {
  return [
    ...siteOperatorProblems(parts),
    ...tenantProblems(parts),
    ...telemetryProblems(parts),
    ...backupProblems(parts),
    ...failoverProblems(parts),
  ];
}

function siteOperatorProblems({ sites = [] }: NetworkParts): readonly Problem[] {
  return sites.flatMap(({ site, index }) => lawProblems(site.operator, ["sites", index]));
}

function lawProblems(
  operator: { readonly jurisdictions: readonly string[] } | undefined,
  at: readonly PathStep[],
): readonly Problem[] {
  return (operator?.jurisdictions ?? []).flatMap((country, index) =>
    isCountryCode(country)
      ? []
      : [countryProblem([...at, "operator", "jurisdictions", index], country, "a code such as DK")],
  );
}

function tenantProblems({ sections: { tenants = {} }, classNames }: NetworkParts): readonly Problem[] {
  const owners = new Map<string, string>();
  return Object.entries(tenants).flatMap(([name, tenant]) => {
    const at = ["tenants", name] as const;
    const problems = classProblems(tenant.classes, { at: [...at, "classes"], classNames });
    tenant.collections.forEach((collection, index) => {
      const owner = owners.get(collection);
      owners.set(collection, owner ?? name);
      if (owner === undefined) return;
      problems.push({
        path: [...at, "collections", index],
        expected: `a collection that is not ${owner === name ? "listed already" : `the tenant ${owner}'s`}`,
        received: collection,
        write: "another collection, or remove it here",
      });
    });
    return problems;
  });
}

function classProblems(
  names: readonly string[],
  {
    at,
    classNames,
  }: { readonly at: readonly PathStep[]; readonly classNames: readonly string[] | undefined },
): Problem[] {
  return names.flatMap((name, index) =>
    classNames?.includes(name) !== false
      ? []
      : [
          {
            path: [...at, index],
            expected: `one of the classes ${classNames.join(", ")}`,
            received: name,
            write: "one of these, or declare the class under classes",
          },
        ],
  );
}

function nameProblems(named: readonly { readonly name: string }[], section: string): readonly Problem[] {
  return named.flatMap(({ name }, index) => {
    const first = named.findIndex((other) => other.name === name);
    if (first === index) return [];
    return [
      {
        path: [section, index, "name"],
        expected: `a name of its own: ${section}[${first}] has it already`,
        received: name,
        write: "another name",
      },
    ];
  });
}

function telemetryProblems({ sections: { telemetry = [] }, classNames }: NetworkParts): readonly Problem[] {
  return [
    ...nameProblems(telemetry, "telemetry"),
    ...telemetry.flatMap(({ country, operator, classes }, index) => {
      const at = ["telemetry", index] as const;
      return [
        ...codeProblems([country], [...at, "country"]),
        ...lawProblems(operator, at),
        ...classProblems(classes, { at: [...at, "classes"], classNames }),
      ];
    }),
  ];
}

function backupProblems({
  sections: { backups = [] },
  sites,
  isEverySiteRead,
}: NetworkParts): readonly Problem[] {
  return [
    ...nameProblems(backups, "backups"),
    ...backups.flatMap(({ of, country, operator, replicas = [], encryption }, index) => {
      const at = ["backups", index] as const;
      return [
        ...siteProblems(of, { at: [...at, "of"], sites, isEverySiteRead }),
        ...codeProblems([country], [...at, "country"]),
        ...replicas.flatMap((code, place) => codeProblems([code], [...at, "replicas", place])),
        ...codeProblems(encryption === undefined ? [] : [encryption.keys_in], [
          ...at,
          "encryption",
          "keys_in",
        ]),
        ...lawProblems(operator, at),
      ];
    }),
  ];
}

function failoverProblems({
  sections: { failover = [] },
  sites = [],
  isEverySiteRead,
}: NetworkParts): readonly Problem[] {
  return failover.flatMap(({ of, to }, index) => {
    const at = ["failover", index] as const;
    const known = [
      ...siteProblems(of, { at: [...at, "of"], sites, isEverySiteRead }),
      ...siteProblems(to, { at: [...at, "to"], sites, isEverySiteRead }),
    ];
    const kindOf = (id: string): string | undefined => sites.find(({ site }) => site.id === id)?.site.kind;
    const [from, target] = [kindOf(of), kindOf(to)];
    if (from === undefined || target === undefined) return known;
    const takes = from === "primary" ? "standby" : from;
    if (of !== to && target === takes) return known;
    return [
      ...known,
      {
        path: [...at, "to"],
        expected: `another site of kind ${takes}, because ${of} is of kind ${from}`,
        received: to,
        write:
          sites.find(({ site }) => site.kind === takes && site.id !== of)?.site.id ??
          `a site of kind ${takes}, or remove this entry`,
      },
    ];
  });
}

function siteProblems(
  id: string,
  {
    at,
    sites = [],
    isEverySiteRead,
  }: Partial<Pick<NetworkParts, "sites">> & {
    readonly at: readonly PathStep[];
    readonly isEverySiteRead: boolean;
  },
): readonly Problem[] {
  if (!isEverySiteRead || sites.some(({ site }) => site.id === id)) return [];
  return [
    {
      path: at,
      expected: `one of the sites ${sites.map(({ site }) => site.id).join(", ")}`,
      received: id,
      write: "one of these",
    },
  ];
}

function codeProblems(codes: readonly string[], path: readonly PathStep[]): readonly Problem[] {
  return codes
    .filter((code) => !isCountryCode(code))
    .map((code) => countryProblem(path, code, "a code such as DK"));
}
