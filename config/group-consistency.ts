/** Finds what is wrong in the lists of countries. */
import { isCountryCode } from "./country.ts";
import type { Problem } from "./problem.ts";
import { ANYWHERE } from "./residency-class.ts";
import { countryProblem } from "./site-consistency.ts";
import type { NetworkParts } from "./well-formed.ts";

/** `at` is the key under which the file has its groups. */
export function groupProblems(
  groups: NetworkParts["groups"],
  { at: section }: { readonly at: string },
): Problem[] {
  return Object.entries(groups).flatMap(([name, group]) => {
    const at = [section, name] as const;
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
    const { countries = [] } = group;
    countries.forEach((country, index) => {
      if (!isCountryCode(country)) problems.push(countryProblem([...at, "countries", index], country, "DK"));
      else if (countries.indexOf(country) !== index)
        problems.push({
          path: [...at, "countries", index],
          expected: "each country once",
          received: country,
          write: `${country} once`,
        });
    });
    for (const field of ["until", "references"] as const) {
      for (const country of Object.keys(group[field] ?? {})) {
        if (group.countries === undefined || countries.includes(country)) continue;
        problems.push({
          path: [...at, field, country],
          atKey: true,
          expected: `a country of the group ${name}`,
          received: country,
          write: `${country} in countries too, or remove it here`,
        });
      }
    }
    for (const country of Object.keys(group.partial ?? {}).filter((each) => countries.includes(each))) {
      problems.push({
        path: [...at, "partial", country],
        atKey: true,
        expected: "a country that does not count: countries has it already",
        received: country,
        write: `${country} in one of the two`,
      });
    }
    return problems;
  });
}
