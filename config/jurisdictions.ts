/** Reads the lists of countries that the law keeps. */
import { z } from "zod";

import { countryGroupSchema, groupName } from "./country-group.ts";
import { groupProblems } from "./group-consistency.ts";
import packaged from "./jurisdictions.json" with { type: "json" };
import type { Network } from "./network.ts";
import { problemOfIssue } from "./schema-problem.ts";
import { NetworkFileError, readYaml } from "./yaml-text.ts";

export type CountryGroups = Network["country_groups"];

const jurisdictionsSchema = z.strictObject({
  version: z.literal(1).meta({ description: "the version of this file's format", examples: [1] }),
  groups: z.record(groupName, countryGroupSchema).meta({
    description: "named lists of countries, each with its legal source",
  }),
});

/** `jurisdictions.yaml` as JSON: a Worker has no file system to read it from. */
export const PACKAGED_JURISDICTIONS: CountryGroups = jurisdictionsSchema.parse(packaged).groups;

/** @throws {NetworkFileError} that lists every problem. */
export function parseJurisdictions(yamlText: string, { file }: { readonly file: string }): CountryGroups {
  const { value, locate } = readYaml(yamlText, { file });
  const whole = jurisdictionsSchema.safeParse(value, { reportInput: true });
  const problems = whole.success
    ? groupProblems(whole.data.groups, { at: "groups" })
    : whole.error.issues.flatMap((issue) => problemOfIssue(jurisdictionsSchema, issue));
  if (whole.success && problems.length === 0) return whole.data.groups;
  throw new NetworkFileError(file, locate(problems));
}
