import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { compileMatch, compileRange, compileValuesCount, isEmpty } from "./leaf.ts";
import { elementsAt, isJson, parsePath, valuesAt } from "./path.ts";

/** What a filter looks at. */
export interface FilterablePoint {
  readonly id: string;
  /** Further ids that `has_id` knows the point by, such as its document's. */
  readonly otherIds?: readonly string[];
  readonly payload: Readonly<Record<string, unknown>>;
}

export type Predicate = (point: FilterablePoint) => boolean;

/** Whether the point passes the filter, with Qdrant's semantics. */
export function matches(filter: Filter, point: FilterablePoint): boolean {
  return compileFilter(filter)(point);
}

/** Returns the filter as a predicate, for many points. */
export function compileFilter(filter: Filter): Predicate {
  const must = clauseOf(filter.must).map(compileCondition);
  const should = clauseOf(filter.should).map(compileCondition);
  const mustNot = clauseOf(filter.must_not).map(compileCondition);
  const least = filter.min_should ?? null;
  const minShould = (least?.conditions ?? []).map(compileCondition);
  return (point) =>
    must.every((test) => test(point)) &&
    (should.length === 0 || should.some((test) => test(point))) &&
    !mustNot.some((test) => test(point)) &&
    (least === null || minShould.filter((test) => test(point)).length >= least.min_count);
}

/** Returns the predicate of one condition. */
export function compileCondition(condition: Condition): Predicate {
  if ("match" in condition) return someElement(condition.key, compileMatch(condition.match));
  if ("range" in condition) return someElement(condition.key, compileRange(condition.range));
  if ("values_count" in condition) {
    const path = parsePath(condition.key);
    const test = compileValuesCount(condition.values_count);
    return ({ payload }) => valuesAt(payload, path).some(test);
  }
  if ("is_empty" in condition) {
    const path = parsePath(condition.is_empty.key);
    return ({ payload }) => valuesAt(payload, path).every(isEmpty);
  }
  if ("is_null" in condition) return someElement(condition.is_null.key, (value) => value === null);
  if ("has_id" in condition) {
    const wanted = new Set(condition.has_id.map(String));
    return ({ id, otherIds }) => wanted.has(id) || (otherIds?.some((other) => wanted.has(other)) ?? false);
  }
  if ("nested" in condition) return compileNested(condition.nested);
  return compileFilter(condition);
}

function someElement(key: string, test: (value: unknown) => boolean): Predicate {
  const path = parsePath(key);
  return ({ payload }) => elementsAt(payload, path).some(test);
}

/** All conditions of a nested filter must hold for the same element. */
function compileNested({ key, filter }: { readonly key: string; readonly filter: Filter }): Predicate {
  const path = parsePath(key);
  const test = compileFilter(filter);
  return (point) =>
    elementsAt(point.payload, path).some(
      (element) => isJson(element) && test({ ...point, payload: element }),
    );
}

/** Returns a clause as a list: Qdrant takes one condition without brackets. */
export function clauseOf(clause: Filter["must"]): readonly Condition[] {
  if (clause === null || clause === undefined) return [];
  return isList(clause) ? clause : [clause];
}

function isList(clause: Condition | readonly Condition[]): clause is readonly Condition[] {
  return Array.isArray(clause);
}
