/** Parsing of a wire shape into the type of its schema. */
import type { z } from "zod";
import { KattegatError, type ErrorCode, type FieldError } from "./errors.ts";
import { expectationOf } from "./expectation.ts";

/** More field errors than a person reads at once; the rest is counted. */
const FIELD_ERRORS_MAX = 20;

function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function fieldErrorsOf(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly PropertyKey[] = [],
): FieldError[] {
  return issues.flatMap((issue): FieldError[] => {
    const path = [...prefix, ...issue.path];
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => ({
        pointer: pointerOf([...path, key]),
        detail: "this field is not known; remove it",
      }));
    }
    if (issue.code === "invalid_union" && issue.errors.length > 0) {
      return [{ pointer: pointerOf(path), detail: unionDetail(issue.errors) }];
    }
    return [{ pointer: pointerOf(path), detail: issue.message }];
  });
}

/** The branch with the deepest complaint is the one that the caller meant. */
function unionDetail(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const depth = (issues: readonly z.core.$ZodIssue[]): number =>
    Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === "unrecognized_keys" ? -1 : 0)));
  const best = branches.toSorted((a, b) => depth(b) - depth(a))[0] ?? [];
  const first = fieldErrorsOf(best)[0];
  return first === undefined
    ? "the value has none of the allowed forms"
    : `${first.pointer || "value"}: ${first.detail}`;
}

/**
 * Parses `value`, which came from another process.
 *
 * @throws {KattegatError} `code` with a JSON pointer for each bad field.
 */
export function parseShape<T>(schema: z.ZodType<T>, value: unknown, code: ErrorCode = "bad_request"): T {
  const result = schema.safeParse(value, { error: expectationOf });
  if (result.success) return result.data;
  const errors = fieldErrorsOf(result.error.issues);
  const shown = errors.slice(0, FIELD_ERRORS_MAX);
  const first = shown[0];
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  const detail =
    first === undefined ? "The request is not valid." : `${first.pointer || "body"}: ${first.detail}${more}.`;
  throw new KattegatError(code, detail, { errors: shown });
}

/**
 * Parses a value that stands in the request's path, under the name of its place there.
 *
 * @throws {KattegatError} `bad_request` whose pointer is that name, so that nobody looks for it in the body.
 */
export function parsePathPart<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const result = schema.safeParse(value, { error: expectationOf });
  if (result.success) return result.data;
  const detail = fieldErrorsOf(result.error.issues)[0]?.detail ?? "expected another value";
  throw new KattegatError("bad_request", `The ${name} in the path: ${detail}.`, {
    errors: [{ pointer: `/${name}`, detail: `${detail} (in the path)` }],
  });
}

/**
 * Parses JSON text and then its shape.
 *
 * @throws {KattegatError} `bad_json` or `code`.
 */
export function parseJson<T>(schema: z.ZodType<T>, text: string, code: ErrorCode = "bad_request"): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    // Neither message nor cause: the parser quotes the body, which may be a privileged query.
    throw new KattegatError("bad_json", `Expected a JSON body: it does not parse${placeOf(error)}.`);
  }
  return parseShape(schema, value, code);
}

/** Where the parser stopped, when it says so. */
function placeOf(error: unknown): string {
  const place = error instanceof Error ? / at position (\d+)/.exec(error.message)?.[1] : undefined;
  return place === undefined ? "" : ` at character ${place}`;
}
