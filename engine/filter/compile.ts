import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { compileCondition } from "./condition.ts";

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

/** Returns a clause as a list: Qdrant takes one condition without brackets. */
export function clauseOf(clause: Filter["must"]): readonly Condition[] {
  if (clause === null || clause === undefined) return [];
  return isList(clause) ? clause : [clause];
}

function isList(clause: Condition | readonly Condition[]): clause is readonly Condition[] {
  return Array.isArray(clause);
}
