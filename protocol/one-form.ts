/** A union whose form is chosen before it is checked. */
import { z } from "zod";
import { expectationOf, kindOf } from "./expectation.ts";

/** One of the forms that a value can have. */
export interface Form<T> {
  /** Whether whoever wrote the value meant this form, well written or not. */
  readonly isMeant: (value: unknown) => boolean;
  readonly schema: z.ZodType<T>;
}

/**
 * Makes a schema that checks a value against the first form that is meant, so that an error tells what is wrong with
 * that one. A plain union cannot tell: each of its members refuses, most because the value is another of them.
 */
export function oneForm<T>(forms: readonly Form<T>[], expected: string): z.ZodType<T> {
  return z.unknown().transform((value, context): T => {
    const form = forms.find(({ isMeant }) => isMeant(value));
    if (form === undefined) {
      context.addIssue({
        code: "custom",
        message: `expected ${expected}; ${isObject(value) ? "another object" : kindOf(value)} came`,
      });
      return z.NEVER;
    }
    const result = form.schema.safeParse(value, { error: expectationOf });
    if (result.success) return result.data;
    for (const issue of result.error.issues) {
      const { path, message } = issue;
      // Unknown fields stay what they are, since each gets a pointer of its own.
      if (issue.code === "unrecognized_keys")
        context.addIssue({ code: issue.code, keys: issue.keys, path, message, input: {} });
      else context.addIssue({ code: "custom", path, message });
    }
    return z.NEVER;
  });
}

/** Chooses a form by the field that only it has. */
export function byField<T>(field: string, schema: z.ZodType<T>): Form<T> {
  return { isMeant: (value) => isObject(value) && Object.hasOwn(value, field), schema };
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
