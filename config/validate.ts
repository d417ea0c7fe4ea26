/** Turns an unknown value into a network, or into everything that is wrong with it. */
import type { z } from "zod";

import { inconsistencies } from "./consistency.ts";
import type { NetworkParts } from "./consistency.ts";
import { networkSchema } from "./network.ts";
import type { Network } from "./network.ts";
import type { Problem } from "./problem.ts";
import { problemOfIssue } from "./schema-problem.ts";

export type Validation =
  | { readonly ok: true; readonly network: Network }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Never throws: what is wrong inside a part does not hide what is wrong between the parts that are well formed. */
export function validateNetwork(value: unknown): Validation {
  const whole = networkSchema.safeParse(value, { reportInput: true });
  const problems = [
    ...(whole.success ? [] : whole.error.issues.flatMap((issue) => problemOfIssue(networkSchema, issue))),
    ...inconsistencies(whole.success ? whole.data : wellFormedParts(value)),
  ];
  return whole.success && problems.length === 0 ? { ok: true, network: whole.data } : { ok: false, problems };
}

function wellFormedParts(value: unknown): NetworkParts {
  if (typeof value !== "object" || value === null) return {};
  const raw: Partial<Record<string, unknown>> = { ...value };
  const { shape } = networkSchema;
  return {
    sites: partOf(shape.sites, raw["sites"]),
    tiers: partOf(shape.tiers, raw["tiers"]),
    country_groups: partOf(shape.country_groups, raw["country_groups"]),
    classes: partOf(shape.classes, raw["classes"]),
    embedding: partOf(shape.embedding, raw["embedding"]),
    writes: partOf(shape.writes, raw["writes"]),
  };
}

function partOf<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> | undefined {
  const result = schema.safeParse(value);
  return result.success ? result.data : undefined;
}
