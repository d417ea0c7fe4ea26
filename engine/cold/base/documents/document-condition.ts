/** Conditions taken apart for a base, where a filter is decided key by key. */
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { clauseOf } from "../../../filter/compile.ts";
import type { KeyCondition } from "./column-probe.ts";

export type IdCondition = Extract<Condition, { readonly has_id: unknown }>;
export type NestedCondition = Extract<Condition, { readonly nested: unknown }>;

/** What every document passes. */
export const EVERYTHING: Filter = { must: [] };
/** What none passes. */
export const NOTHING: Filter = { must_not: [EVERYTHING] };

const LEAF_NAMES = ["match", "range", "values_count", "is_empty", "is_null", "has_id", "nested"] as const;

/** Whether the condition is a filter of its own, by the order in which the engine tells conditions apart. */
export function isGroup(condition: Condition): condition is Filter {
  return LEAF_NAMES.every((name) => !(name in condition));
}

/** Whether the condition is about ids. */
export function isIdCondition(condition: Condition): condition is IdCondition {
  return "has_id" in condition;
}

/** Returns all conditions of a filter. */
export function conditionsOf(filter: Filter): readonly Condition[] {
  return [
    ...clauseOf(filter.must),
    ...clauseOf(filter.should),
    ...clauseOf(filter.must_not),
    ...(filter.min_should?.conditions ?? []),
  ];
}

/** Returns every condition about ids, those within nested filters too. */
export function idConditionsIn(filter: Filter): readonly IdCondition[] {
  return conditionsOf(filter).flatMap((condition) => {
    if (isIdCondition(condition)) return [condition];
    if ("nested" in condition) return idConditionsIn(condition.nested.filter);
    return isGroup(condition) ? idConditionsIn(condition) : [];
  });
}

/** Returns the filter with `replacement` for one of its conditions about ids, wherever it stands. */
export function withoutIds(filter: Filter, replaced: IdCondition, replacement: Filter): Filter {
  return mapFilter(filter, (condition) => {
    if (condition === replaced) return replacement;
    if ("nested" in condition) {
      const { key, filter: inner } = condition.nested;
      return { nested: { key, filter: withoutIds(inner, replaced, replacement) } };
    }
    return isGroup(condition) ? withoutIds(condition, replaced, replacement) : condition;
  });
}

/** Returns a filter over the value of a key as one over what holds it. */
export function withPrefix(filter: Filter, prefix: string): Filter {
  const prefixed = (key: string) => `${prefix}.${key}`;
  return mapFilter(filter, (condition) => {
    if (isIdCondition(condition)) return condition;
    return isGroup(condition) ? withPrefix(condition, prefix) : withKey(condition, prefixed);
  });
}

function withKey(condition: KeyCondition, map: (key: string) => string): Condition {
  if ("is_empty" in condition) return { is_empty: { key: map(condition.is_empty.key) } };
  if ("is_null" in condition) return { is_null: { key: map(condition.is_null.key) } };
  if ("nested" in condition)
    return { nested: { key: map(condition.nested.key), filter: condition.nested.filter } };
  return { ...condition, key: map(condition.key) };
}

function mapFilter(filter: Filter, map: (condition: Condition) => Condition): Filter {
  const least = filter.min_should ?? null;
  return {
    must: clauseOf(filter.must).map(map),
    should: clauseOf(filter.should).map(map),
    must_not: clauseOf(filter.must_not).map(map),
    ...(least === null
      ? {}
      : { min_should: { min_count: least.min_count, conditions: least.conditions.map(map) } }),
  };
}
