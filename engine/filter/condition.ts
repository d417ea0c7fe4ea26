import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { compileFilter, type FilterablePoint, type Predicate } from "./compile.ts";
import { elementsAt, isJson, valuesAt } from "./path.ts";

type Match = Extract<Condition, { match: unknown }>["match"];
type Range = Extract<Condition, { range: unknown }>["range"];
type ValuesCount = Extract<Condition, { values_count: unknown }>["values_count"];

/** Returns the predicate of one condition. */
export function compileCondition(condition: Condition): Predicate {
  if ("match" in condition) return someElement(condition.key, compileMatch(condition.match));
  if ("range" in condition) return someElement(condition.key, compileRange(condition.range));
  if ("values_count" in condition) return compileValuesCount(condition.key, condition.values_count);
  if ("is_empty" in condition) {
    const { key } = condition.is_empty;
    return ({ payload }) => valuesAt(payload, key).every(isEmpty);
  }
  if ("is_null" in condition) {
    const { key } = condition.is_null;
    return ({ payload }) => elementsAt(payload, key).some((value) => value === null);
  }
  if ("has_id" in condition) return compileHasId(condition.has_id);
  if ("nested" in condition) return compileNested(condition.nested);
  return compileFilter(condition);
}

function someElement(key: string, test: (value: unknown) => boolean): Predicate {
  return ({ payload }) => elementsAt(payload, key).some(test);
}

function compileMatch(match: Match): (value: unknown) => boolean {
  if ("value" in match) return (value) => value === match.value;
  if ("any" in match) {
    const wanted = new Set<unknown>(match.any);
    return (value) => wanted.has(value);
  }
  if ("except" in match) {
    const unwanted = new Set<unknown>(match.except);
    return (value) => value !== null && value !== undefined && !unwanted.has(value);
  }
  return (value) => typeof value === "string" && value.includes(match.text);
}

function compileRange(range: Range): (value: unknown) => boolean {
  const bounds = [range.gt, range.gte, range.lt, range.lte];
  const isTime = bounds.some((bound) => typeof bound === "string");
  const [gt, gte, lt, lte] = bounds.map((bound) => (typeof bound === "string" ? Date.parse(bound) : (bound ?? null)));
  return (value) => {
    const number = isTime ? timeOf(value) : value;
    if (typeof number !== "number" || Number.isNaN(number)) return false;
    return (
      (gt === null || gt === undefined || number > gt) &&
      (gte === null || gte === undefined || number >= gte) &&
      (lt === null || lt === undefined || number < lt) &&
      (lte === null || lte === undefined || number <= lte)
    );
  };
}

/** RFC 3339; a date alone is midnight in UTC, as in Qdrant. */
const TIME = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;

function timeOf(value: unknown): number | null {
  if (typeof value !== "string" || !TIME.test(value)) return null;
  const hasZone = /(Z|[+-]\d{2}:?\d{2})$/i.test(value.slice(10));
  return Date.parse(value.length === 10 || hasZone ? value : `${value}Z`);
}

function compileValuesCount(key: string, { gt, gte, lt, lte }: ValuesCount): Predicate {
  const test = (count: number) =>
    (gt === undefined || count > gt) &&
    (gte === undefined || count >= gte) &&
    (lt === undefined || count < lt) &&
    (lte === undefined || count <= lte);
  return ({ payload }) =>
    valuesAt(payload, key).some((value) => value !== null && test(Array.isArray(value) ? value.length : 1));
}

function isEmpty(value: unknown): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

function compileHasId(ids: readonly (string | number)[]): Predicate {
  const wanted = new Set(ids.map(String));
  return ({ id, otherIds }) => wanted.has(id) || (otherIds?.some((other) => wanted.has(other)) ?? false);
}

/** All conditions of a nested filter must hold for the same element. */
function compileNested({ key, filter }: { readonly key: string; readonly filter: Filter }): Predicate {
  const test = compileFilter(filter);
  return (point: FilterablePoint) =>
    elementsAt(point.payload, key).some((element) => isJson(element) && test({ ...point, payload: element }));
}
