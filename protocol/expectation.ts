/** What a schema expected with what came instead, in one sentence without the value. */
import type { z } from "zod";

const NAMES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  record: "an object",
  null: "null",
};

/** Formats whose name says nothing to a caller, by an example. */
const FORMATS: Readonly<Record<string, string>> = {
  datetime: "a time such as 2026-01-31T12:00:00Z",
  date: "a day such as 2026-01-31",
};

/** Names of an enumeration in one message: all that the contract has. */
const VALUES_SHOWN_MAX = 12;

/**
 * Returns the sentence for an issue; undefined leaves it to zod. A value is told by its kind or size alone, since it
 * may be a privileged query.
 *
 * A message that a schema gives itself comes before this one.
 */
export function expectationOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined
        ? `expected ${nameOf(issue.expected)}; it is missing`
        : `expected ${nameOf(issue.expected)}; ${kindOf(issue.input)} came`;
    case "too_big":
      return `expected ${sizeOf("most", issue.maximum, issue)}`;
    case "too_small":
      return `expected ${sizeOf("least", issue.minimum, issue)}`;
    case "invalid_format":
      return `expected ${FORMATS[issue.format] ?? `text of the form ${issue.format}`}; other text came`;
    case "invalid_value": {
      const values = issue.values.slice(0, VALUES_SHOWN_MAX).map((value) => JSON.stringify(value) ?? "");
      const one = values.length === 1 ? "" : "one of ";
      return `expected ${one}${values.join(", ")}; ${issue.input === undefined ? "it is missing" : `${otherOf(issue.input)} came`}`;
    }
    case "unrecognized_keys":
      return "this field is not known; remove it";
    case "invalid_union":
      return `expected one of the allowed forms; ${kindOf(issue.input)} came`;
    default:
      return undefined;
  }
}

/** The kind of a value as a noun, without the value. */
export function kindOf(value: unknown): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "string":
      return "text";
    case "number":
      return Number.isInteger(value) ? "a whole number" : "a number that is not whole";
    case "boolean":
      return "true or false";
    default:
      return "an object";
  }
}

function nameOf(expected: string): string {
  return NAMES[expected] ?? expected;
}

function otherOf(value: unknown): string {
  return typeof value === "string" ? "other text" : kindOf(value);
}

function sizeOf(
  end: "most" | "least",
  bound: number | bigint,
  { origin, inclusive, input }: { origin: string; inclusive?: boolean | undefined; input?: unknown },
): string {
  const limit = bound.toLocaleString("en");
  if (typeof input === "string") {
    const came = input.length === 0 ? "none" : input.length.toLocaleString("en");
    return `at ${end} ${limit} ${Number(bound) === 1 ? "character" : "characters"}; ${came} came`;
  }
  if (Array.isArray(input)) {
    const came = input.length === 0 ? "none" : input.length.toLocaleString("en");
    return `at ${end} ${limit} ${Number(bound) === 1 ? "entry" : "entries"}; ${came} came`;
  }
  if (origin === "object" || origin === "record") return `at ${end} ${limit} fields`;
  const range =
    inclusive === false
      ? `a number ${end === "most" ? "less" : "greater"} than ${limit}`
      : `at ${end} ${limit}`;
  return `${range}; a ${end === "most" ? "greater" : "smaller"} number came`;
}
