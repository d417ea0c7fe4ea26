/** Turns an unknown value into a network, or into everything that is wrong with it. */
import { inconsistencies } from "./consistency.ts";
import { networkSchema } from "./network.ts";
import type { Network } from "./network.ts";
import type { Problem } from "./problem.ts";
import { problemOfIssue } from "./schema-problem.ts";
import { wellFormedParts } from "./well-formed.ts";

export type Validation =
  | { readonly ok: true; readonly network: Network }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Never throws: what is wrong at one place hides nothing that is wrong at another. */
export function validateNetwork(value: unknown): Validation {
  const whole = networkSchema.safeParse(value, { reportInput: true });
  const problems = [
    ...(whole.success ? [] : whole.error.issues.flatMap((issue) => problemOfIssue(networkSchema, issue))),
    ...inconsistencies(wellFormedParts(value)),
  ];
  return whole.success && problems.length === 0 ? { ok: true, network: whole.data } : { ok: false, problems };
}
