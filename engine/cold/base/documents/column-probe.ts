/** What must be looked at to decide a condition over the values of a column. */
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { compileCondition } from "../../../filter/compile.ts";
import { parsePath } from "../../../filter/path.ts";
import type { ColumnPath } from "./column-directory.ts";
import { ABSENT, canonicalJson, type Rank, RANK, rankOf } from "./column-value.ts";

/** A condition about one key of the payload. */
export type KeyCondition = Exclude<Condition, Filter | { readonly has_id: readonly unknown[] }>;

export interface Probe {
  /** Decides a document whose value has this text. */
  test(text: string): boolean;
  /** Decides parsed values. */
  testValue(value: unknown): boolean;
  /** The values of a kind that the condition names, all others of the kind being decided alike; null when each must be tried. */
  named(rank: Rank): readonly string[] | null;
  /** Decides a value of the kind that is not named. */
  testOther(rank: Rank): boolean;
}

/** Returns the key that the condition is about. */
export function keyOf(condition: KeyCondition): string {
  if ("key" in condition) return condition.key;
  if ("is_empty" in condition) return condition.is_empty.key;
  if ("is_null" in condition) return condition.is_null.key;
  return condition.nested.key;
}

/** Returns the probe of a condition over a payload that holds nothing but the column's value. */
export function createProbe(condition: KeyCondition, column: ColumnPath): Probe {
  const passes = compileCondition(condition);
  const [top = "", key] = column;
  const decide = (payload: Readonly<Record<string, unknown>>) => passes({ id: "", payload });
  const testValue =
    key === undefined
      ? (value: unknown) => decide({ [top]: value })
      : (value: unknown) => decide({ [top]: { [key]: value } });
  const isDeeper = parsePath(keyOf(condition)).length > column.length;
  const named = (rank: Rank) => (isDeeper && isScalar(rank) ? [] : namedBy(condition, rank));
  return {
    test: (text) =>
      text === ABSENT ? decide(key === undefined ? {} : { [top]: {} }) : testValue(JSON.parse(text)),
    testValue,
    named,
    testOther: (rank) => testValue(unnamed(rank, new Set(named(rank)))),
  };
}

/**
 * Of a million texts, `match` looks at those it names: all others are alike to it. Only a part of a text and a range need
 * each value. A deeper path finds nothing in a scalar.
 */
function namedBy(condition: KeyCondition, rank: Rank): readonly string[] | null {
  if (!isScalar(rank)) return null;
  if ("match" in condition) {
    const { match } = condition;
    if ("text" in match) return rank === RANK.string ? null : [];
    const values: readonly unknown[] =
      "value" in match ? [match.value] : "any" in match ? match.any : match.except;
    return values.map(canonicalJson).filter((text) => rankOf(text) === rank);
  }
  if (!("range" in condition)) return [];
  const { gt, gte, lt, lte } = condition.range;
  const isTime = [gt, gte, lt, lte].some((bound) => typeof bound === "string");
  return isTime === (rank === RANK.string) ? null : [];
}

/** Kinds with many values, of which all are alike to most conditions. */
function isScalar(rank: Rank): boolean {
  return rank === RANK.number || rank === RANK.string;
}

function unnamed(rank: Rank, named: ReadonlySet<string>): unknown {
  for (let number = 0.5; ; number += 1) {
    const value = rank === RANK.number ? number : String(number);
    if (!named.has(canonicalJson(value))) return value;
  }
}
