/** Filters as Qdrant's clients send them, checked into the engine's grammar. */
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { isJson, listOf, objectOf, onlyFields, textOf } from "./fields.ts";
import type { Json } from "./fields.ts";
import { pointIdOf } from "./point-id.ts";
import { formatError, notImplemented } from "./qdrant-error.ts";

/** Twice what the engine's callers nest; a recursion that a hostile body cannot exhaust. */
const DEPTH_MAX = 32;

type Match = Extract<Condition, { match: unknown }>["match"];
type Range = Extract<Condition, { range: unknown }>["range"];

const NO_VARIANT = "data did not match any variant of untagged enum Condition";

/** @throws {QdrantError} 400 when it is no filter, 501 when it holds a condition that the engine lacks. */
export function filterOf(value: unknown, depth = 0): Filter | null {
  if (value === null || value === undefined) return null;
  if (depth > DEPTH_MAX) throw formatError("recursion limit exceeded");
  const source = objectOf(value, "struct Filter");
  for (const name in source) {
    if (!["must", "should", "must_not", "min_should"].includes(name)) {
      throw formatError(
        `unknown field \`${name}\`, expected one of \`should\`, \`min_should\`, \`must\`, \`must_not\``,
      );
    }
  }
  const minShould = source["min_should"] ?? null;
  return {
    must: clauseOf(source["must"], depth),
    should: clauseOf(source["should"], depth),
    must_not: clauseOf(source["must_not"], depth),
    ...(minShould === null
      ? {}
      : { min_should: minShouldOf(objectOf(minShould, "struct MinShould"), depth) }),
  };
}

function clauseOf(value: unknown, depth: number): readonly Condition[] | null {
  if (value === null || value === undefined) return null;
  return (Array.isArray(value) ? value : [value]).map((condition) => conditionOf(condition, depth));
}

function minShouldOf(source: Json, depth: number): NonNullable<Filter["min_should"]> {
  const count = source["min_count"];
  if (typeof count !== "number" || !Number.isInteger(count) || count < 0)
    throw formatError("min_should: missing field `min_count`");
  return {
    min_count: count,
    conditions: listOf(source["conditions"], "a sequence").map((one) => conditionOf(one, depth)),
  };
}

function conditionOf(value: unknown, depth: number): Condition {
  const source = objectOf(value, "a condition");
  if ("has_id" in source) {
    onlyFields(source, ["has_id"], "a has_id condition");
    return { has_id: listOf(source["has_id"], "a sequence of ids").map(pointIdOf) };
  }
  if ("is_empty" in source)
    return { is_empty: { key: keyOf(objectOf(source["is_empty"], "struct PayloadField")) } };
  if ("is_null" in source)
    return { is_null: { key: keyOf(objectOf(source["is_null"], "struct PayloadField")) } };
  if ("nested" in source) {
    const nested = objectOf(source["nested"], "struct Nested");
    const filter = filterOf(nested["filter"], depth + 1);
    if (filter === null) throw formatError("missing field `filter`");
    return { nested: { key: keyOf(nested), filter } };
  }
  if ("key" in source) return fieldCondition(source);
  if ("has_vector" in source || "slice" in source)
    throw notImplemented(`the condition ${Object.keys(source).join(", ")}`);
  if (Object.keys(source).length === 0) return {};
  return filterOf(source, depth + 1) ?? {};
}

function fieldCondition(source: Json): Condition {
  onlyFields(source, ["key", "match", "range", "values_count"], "a field condition");
  const key = keyOf(source);
  const given = ["match", "range", "values_count"].filter((name) => (source[name] ?? null) !== null);
  if (given.length === 0) throw formatError(NO_VARIANT);
  if (given.length > 1) throw notImplemented("several tests in one field condition");
  if (given[0] === "match") return { key, match: matchOf(objectOf(source["match"], "enum Match")) };
  if (given[0] === "range") return { key, range: rangeOf(objectOf(source["range"], "struct Range")) };
  const counts = objectOf(source["values_count"], "struct ValuesCount");
  onlyFields(counts, ["gt", "gte", "lt", "lte"], "values_count");
  return { key, values_count: Object.fromEntries(boundsOf(counts)) };
}

function keyOf(source: Json): string {
  const key = textOf(source["key"], "a payload key");
  if (key === "") throw formatError("Invalid json path: ''");
  return key;
}

function matchOf(source: Json): Match {
  onlyFields(source, ["value", "any", "except", "text"], "match");
  const [name, ...more] = Object.keys(source).filter((field) => source[field] !== null);
  const value = name === undefined ? undefined : source[name];
  if (more.length === 0 && name === "value" && isMatchable(value)) return { value };
  if (more.length === 0 && name === "text" && typeof value === "string") return { text: value };
  if (more.length === 0 && (name === "any" || name === "except")) {
    const values = variantsOf(listOf(value, "a sequence"));
    return name === "any" ? { any: values } : { except: values };
  }
  throw formatError("data did not match any variant of untagged enum Match");
}

function isMatchable(value: unknown): value is string | number | boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isInteger(value);
}

function variantsOf(values: readonly unknown[]): string[] | number[] {
  const texts = values.filter((value) => typeof value === "string");
  if (texts.length === values.length) return texts;
  const integers = values
    .filter((value) => typeof value === "number")
    .filter((value) => Number.isInteger(value));
  if (integers.length === values.length) return integers;
  throw formatError("data did not match any variant of untagged enum AnyVariants");
}

function rangeOf(source: Json): Range {
  for (const name in source) {
    if (!["gt", "gte", "lt", "lte"].includes(name))
      throw formatError("data did not match any variant of untagged enum RangeInterface");
  }
  const given = Object.entries(source).filter(([, bound]) => bound !== null);
  const times = given.flatMap(([name, bound]) =>
    typeof bound === "string" ? [[name, timeOf(bound)] as const] : [],
  );
  if (given.length > 0 && times.length === given.length) return Object.fromEntries(times);
  if (times.length > 0) throw formatError("data did not match any variant of untagged enum RangeInterface");
  return Object.fromEntries(boundsOf(source));
}

function timeOf(text: string): string {
  if (Number.isNaN(Date.parse(text)))
    throw formatError("data did not match any variant of untagged enum RangeInterface");
  return new Date(text).toISOString();
}

function boundsOf(source: Json): [string, number][] {
  return Object.entries(source).flatMap(([name, bound]): [string, number][] => {
    if (bound === null) return [];
    if (typeof bound !== "number") throw formatError(`${name}: expected a number`);
    return [[name, bound]];
  });
}

/** Calls `visit` with each payload key that the filter tests, and with the index types that would serve it. */
export function forEachKey(
  filter: Filter,
  visit: (key: string, types: readonly string[]) => void,
  prefix = "",
): void {
  const clauses = [filter.must, filter.should, filter.must_not, filter.min_should?.conditions];
  for (const condition of clauses.flatMap((clause) =>
    clause === null || clause === undefined ? [] : clause,
  )) {
    if (!isJson(condition)) continue;
    if ("has_id" in condition) continue;
    if ("is_empty" in condition) visit(prefix + condition.is_empty.key, ANY_TYPE);
    else if ("is_null" in condition) visit(prefix + condition.is_null.key, ANY_TYPE);
    else if ("nested" in condition)
      forEachKey(condition.nested.filter, visit, `${prefix}${condition.nested.key}[].`);
    else if ("match" in condition) visit(prefix + condition.key, matchTypes(condition.match));
    else if ("range" in condition) visit(prefix + condition.key, rangeTypes(condition.range));
    else if ("values_count" in condition) visit(prefix + condition.key, ANY_TYPE);
    else forEachKey(condition, visit, prefix);
  }
}

const ANY_TYPE: readonly string[] = [
  "keyword",
  "integer",
  "float",
  "bool",
  "datetime",
  "uuid",
  "text",
  "geo",
];

function matchTypes(match: Match): readonly string[] {
  if ("text" in match) return ["text"];
  const sample = "value" in match ? match.value : "any" in match ? match.any[0] : match.except[0];
  if (typeof sample === "number") return ["integer"];
  return typeof sample === "boolean" ? ["bool"] : ["keyword", "uuid"];
}

function rangeTypes(range: Range): readonly string[] {
  return Object.values(range).some((bound) => typeof bound === "string")
    ? ["datetime"]
    : ["integer", "float"];
}
