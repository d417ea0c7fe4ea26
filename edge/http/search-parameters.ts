/** The search request in a URL's parameters. */
import { KattegatError, type FieldError } from "@kattegat/protocol/errors.ts";
import { searchRequestSchema } from "@kattegat/protocol/search.ts";

type Reading = "text" | "integer" | "boolean" | "json" | "list";

/** How each parameter is read; `q` is the one that browsers know. */
const PARAMETERS: Readonly<Record<string, { readonly field: string; readonly reading: Reading }>> = {
  q: { field: "query", reading: "text" },
  query: { field: "query", reading: "text" },
  vector: { field: "vector", reading: "json" },
  mode: { field: "mode", reading: "text" },
  collection: { field: "collection", reading: "text" },
  filter: { field: "filter", reading: "json" },
  limit: { field: "limit", reading: "integer" },
  offset: { field: "offset", reading: "integer" },
  tiers: { field: "tiers", reading: "list" },
  group_by: { field: "group_by", reading: "text" },
  min_sequence: { field: "min_sequence", reading: "text" },
  timeout_ms: { field: "timeout_ms", reading: "integer" },
  explain: { field: "explain", reading: "boolean" },
};

/** Names of every field of the schema that a parameter can carry; a test compares them with the schema. */
export const PARAMETER_FIELDS: ReadonlySet<string> = new Set(
  Object.values(PARAMETERS).map(({ field }) => field),
);

export const SEARCH_FIELDS: readonly string[] = Object.keys(searchRequestSchema.shape);

/**
 * Returns the parameters of a URL's query as the body of a `POST` would carry them.
 *
 * @throws {KattegatError} `bad_request` naming each unknown, repeated or undecodable parameter, `bad_filter` for a filter that is not JSON.
 */
export function searchOfParameters(query: string): Record<string, unknown> {
  const request: Record<string, unknown> = {};
  const errors: FieldError[] = [];
  for (const part of query.replace(/^\?/, "").split("&")) {
    const [[name, text] = ["", ""]] = new URLSearchParams(part);
    if (part === "") continue;
    const known = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
    const pointer = `/${name.slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`;
    if (!isUtf8(part)) {
      errors.push({ pointer, detail: "expected percent-encoded UTF-8; bytes came that are not" });
    } else if (known === undefined) {
      errors.push({ pointer, detail: "this parameter is not known; remove it" });
    } else if (Object.hasOwn(request, known.field)) {
      errors.push({ pointer, detail: "expected once; it came more often" });
    } else {
      request[known.field] = readParameter(text, known);
    }
    if (errors.length === ERRORS_MAX) break;
  }
  const [first] = errors;
  if (first !== undefined)
    throw new KattegatError("bad_request", `${first.pointer}: ${first.detail}.`, { errors });
  return request;
}

/** A decoder that puts U+FFFD in the place of bad bytes would search for what nobody wrote. */
function isUtf8(part: string): boolean {
  const escapes = part.match(/(?:%[0-9A-Fa-f]{2})+/g) ?? [];
  return escapes.every((escaped) => {
    try {
      decodeURIComponent(escaped);
      return true;
    } catch {
      return false;
    }
  });
}

/** More than a person reads at once. */
const ERRORS_MAX = 20;

function readParameter(
  text: string,
  { field, reading }: { readonly field: string; readonly reading: Reading },
): unknown {
  switch (reading) {
    case "text":
      return text;
    case "integer":
      return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    case "boolean":
      return text === "true" ? true : text === "false" ? false : text;
    case "list":
      return text.split(",");
    case "json":
      return readJson(text, field);
    default: {
      const never: never = reading;
      return never;
    }
  }
}

function readJson(text: string, field: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch (cause) {
    const error: FieldError = { pointer: `/${field}`, detail: "expected JSON text" };
    throw new KattegatError(
      field === "filter" ? "bad_filter" : "bad_vector",
      `/${field}: expected JSON text.`,
      { errors: [error], cause },
    );
  }
}
