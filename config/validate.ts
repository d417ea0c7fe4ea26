/** Turns an unknown value into a network, or into everything that is wrong with it. */
import { inconsistencies } from "./consistency.ts";
import type { CountryGroups } from "./jurisdictions.ts";
import { networkFileSchema } from "./network.ts";
import type { Network } from "./network.ts";
import type { Problem } from "./problem.ts";
import { problemOfIssue } from "./schema-problem.ts";
import { wellFormedParts } from "./well-formed.ts";

export type Validation =
  | { readonly ok: true; readonly network: Network }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Never throws: what is wrong at one place hides nothing that is wrong at another. */
export function validateNetwork(value: unknown, jurisdictions: CountryGroups): Validation {
  const whole = networkFileSchema.safeParse(value, { reportInput: true });
  const problems = [
    ...(whole.success ? [] : whole.error.issues.flatMap((issue) => problemOfIssue(networkFileSchema, issue))),
    ...ownGroupProblems(value, jurisdictions),
    ...inconsistencies(wellFormedParts(withGroups(value, jurisdictions))),
  ];
  if (!whole.success || problems.length > 0) return { ok: false, problems };
  const { jurisdictions: _, country_groups: own, ...rest } = whole.data;
  return { ok: true, network: { ...rest, country_groups: { ...jurisdictions, ...own } } };
}

/** Where personal data may flow is said by the jurisdictions alone: a network that adds a country to them would widen every class. */
function ownGroupProblems(value: unknown, jurisdictions: CountryGroups): readonly Problem[] {
  return Object.entries(objectOf(objectOf(value)?.["country_groups"]) ?? {}).flatMap(([name, group]) => {
    const path = ["country_groups", name];
    const problems: Problem[] = [];
    if (Object.hasOwn(jurisdictions, name))
      problems.push({
        path,
        atKey: true,
        expected: "a name that the jurisdictions do not have yet",
        received: name,
        write: "another name, or name a file with your own lists under jurisdictions",
      });
    if (objectOf(group)?.["free_flow"] !== undefined)
      problems.push({
        path: [...path, "free_flow"],
        atKey: true,
        expected:
          "no free_flow in a group of the network file: the jurisdictions say where personal data may flow",
        received: objectOf(group)?.["free_flow"],
        write: "transfers at the classes, or name a file with your own lists under jurisdictions",
      });
    return problems;
  });
}

/** A section of another shape stays as it is: its problem is told already. */
function withGroups(value: unknown, jurisdictions: CountryGroups): unknown {
  const raw = objectOf(value);
  if (raw === undefined) return value;
  const own = raw["country_groups"];
  if (own !== undefined && objectOf(own) === undefined) return raw;
  return { ...raw, country_groups: { ...jurisdictions, ...objectOf(own) } };
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
}
