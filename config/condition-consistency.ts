/** Finds what is wrong between the conditions of a class. */
import { isCountryCode } from "./country.ts";
import type { PathStep, Problem } from "./problem.ts";
import { ANYWHERE } from "./residency-class.ts";
import { countryProblem } from "./site-consistency.ts";
import { wideningsOf } from "./narrowing.ts";
import type { NetworkParts } from "./well-formed.ts";

type ReadClass = NetworkParts["classes"][string];

export function conditionProblems(parts: NetworkParts): readonly Problem[] {
  return Object.entries(parts.classes).flatMap(([name, rules]) => {
    const at = ["classes", name] as const;
    return [
      ...listProblems(rules, { at, groupNames: parts.groupNames }),
      ...operatorProblems(rules, at),
      ...stayProblems(rules, at),
      ...retentionProblems(rules, at),
      ...narrowingProblems(name, rules, parts),
    ];
  });
}

/** Whatever is listed must be known: a misspelt name would refuse in silence. */
function listProblems(
  rules: ReadClass,
  {
    at,
    groupNames,
  }: { readonly at: readonly PathStep[]; readonly groupNames: readonly string[] | undefined },
): readonly Problem[] {
  const lists = [
    ...(["store", "transit", "serve"] as const).map((field) => ({
      path: [...at, field, "countries"],
      entries: rules[field]?.countries ?? [],
    })),
    ...(rules.transfers ?? []).map(({ to }, index) => ({
      path: [...at, "transfers", index, "to"],
      entries: to,
    })),
  ];
  return lists.flatMap(({ path, entries }) =>
    entries.flatMap((entry, index) => {
      const isKnown = entry === ANYWHERE || isCountryCode(entry) || groupNames?.includes(entry) !== false;
      if (isKnown) return [];
      return [
        {
          path: [...path, index],
          expected: `a country code, ${ANYWHERE}, or one of the country groups ${groupNames.join(", ")}`,
          received: entry,
          write: "one of these, or declare the group under country_groups",
        },
      ];
    }),
  );
}

function operatorProblems({ operators }: ReadClass, at: readonly PathStep[]): readonly Problem[] {
  return (operators?.exclude_law ?? []).flatMap((country, index) =>
    isCountryCode(country) ? [] : [countryProblem([...at, "operators", "exclude_law", index], country, "US")],
  );
}

function stayProblems(rules: ReadClass, at: readonly PathStep[]): readonly Problem[] {
  const { stays_in: stays } = rules;
  if (stays === undefined) return [];
  const { country } = stays;
  if (!isCountryCode(country))
    return [countryProblem([...at, "stays_in", "country"], country, "country: DK")];
  const fields = stays.allows_transit === true ? (["store"] as const) : (["store", "transit"] as const);
  const problems = fields.flatMap((field): Problem[] => {
    const other = rules[field]?.countries.find((entry) => entry !== country);
    if (other === undefined) return [];
    return [
      {
        path: [...at, field, "countries"],
        expected: `${country} alone, because stays_in says that every copy stays there`,
        received: rules[field]?.countries,
        write: `countries: [${country}]${field === "transit" ? ", or allows_transit: true in stays_in" : ""}`,
      },
    ];
  });
  for (const field of [...fields, "cache"] as const) {
    if ((rules[field]?.zones ?? []).length === 0) continue;
    problems.push({
      path: [...at, field, "zones"],
      expected: `no zone, because stays_in says ${country} and no zone is one country`,
      received: rules[field]?.zones,
      write: `zones: []${field === "transit" ? ", or allows_transit: true in stays_in" : ""}`,
    });
  }
  return problems;
}

function retentionProblems({ retention }: ReadClass, at: readonly PathStep[]): readonly Problem[] {
  if (retention === undefined) return [];
  const path = [...at, "retention"];
  const { keep_days: days, from, until } = retention;
  if ((days === undefined) === (until === undefined))
    return [
      {
        path,
        expected: "either keep_days with from, or until",
        received: retention,
        write: "keep_days: 1826 and from: created_at, or until: 2031-12-31",
      },
    ];
  if (days !== undefined && from === undefined)
    return [
      {
        path: [...path, "from"],
        expected: "the date from which keep_days counts",
        received: undefined,
        write: "from: created_at, or from: published_at",
      },
    ];
  if (until !== undefined && from !== undefined)
    return [
      {
        path: [...path, "from"],
        atKey: true,
        expected: "no from beside until, which is a date already",
        received: from,
        write: "nothing: remove from",
      },
    ];
  return [];
}

/** A class that narrows another is refused as a whole when it is wider in one respect, on one day. */
function narrowingProblems(name: string, rules: ReadClass, parts: NetworkParts): readonly Problem[] {
  const { narrows } = rules;
  if (narrows === undefined) return [];
  const path = ["classes", name, "narrows"];
  if (narrows === name || parts.classNames?.includes(narrows) !== true)
    return [
      {
        path,
        expected: "the name of another class",
        received: narrows,
        write: `one of ${(parts.classNames ?? []).filter((other) => other !== name).join(", ")}`,
      },
    ];
  const { placeable } = parts;
  if (placeable === undefined) return [];
  return wideningsOf(placeable, { narrow: name, wide: narrows }).map(({ key, says }) => ({
    path: ["classes", name, Object.hasOwn(rules, key) ? key : "narrows"],
    expected: `nothing that class ${narrows} does not allow, because ${name} narrows it`,
    received: `in ${key} it allows ${says}`,
    write: `${key} as in class ${narrows} or narrower, or remove narrows`,
  }));
}
