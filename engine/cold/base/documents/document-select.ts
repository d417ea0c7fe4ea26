/** A filter decided for all documents at once, by sets. */
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { clauseOf } from "../../../filter/compile.ts";
import { parsePath } from "../../../filter/path.ts";
import { type Bitmap, createBitmap, intersect, subtract, unite } from "../../../index/bitmap.ts";
import { keyOf, type KeyCondition } from "./column-probe.ts";
import { complement, fullBitmap, inAtLeast, isEmptyBitmap } from "./document-bitmap.ts";
import {
  EVERYTHING,
  idConditionsIn,
  type IdCondition,
  isGroup,
  isIdCondition,
  type NestedCondition,
  NOTHING,
  withoutIds,
  withPrefix,
} from "./document-condition.ts";

/** What is selected from; every verb answers null when a piece could not be read. */
export interface SelectionSource {
  /** Documents or rows. */
  readonly units: number;
  /** Those whose payload passes the condition; it holds no condition about ids. */
  byKey(condition: KeyCondition): Promise<Bitmap | null>;
  byIds(ids: readonly string[]): Promise<Bitmap | null>;
}

/** Returns what passes the filter. All conditions are decided at once, so that their reads go out in one round. */
export async function selectByFilter(filter: Filter, source: SelectionSource): Promise<Bitmap | null> {
  const decide = async (conditions: readonly Condition[]) => {
    const sets = await Promise.all(conditions.map((condition) => selectByCondition(condition, source)));
    return sets.every((set) => set !== null) ? sets : null;
  };
  const least = filter.min_should ?? null;
  const [must, should, mustNot, enough] = await Promise.all([
    decide(clauseOf(filter.must)),
    decide(clauseOf(filter.should)),
    decide(clauseOf(filter.must_not)),
    decide(least?.conditions ?? []),
  ]);
  if (must === null || should === null || mustNot === null || enough === null) return null;
  let selected = fullBitmap(source.units);
  for (const set of must) selected = intersect(selected, set);
  for (const set of mustNot) selected = subtract(selected, set);
  if (should.length > 0) {
    const any = createBitmap(source.units);
    for (const set of should) unite(any, set);
    selected = intersect(selected, any);
  }
  if (least !== null) selected = intersect(selected, inAtLeast(enough, least.min_count, source.units));
  return selected;
}

function selectByCondition(condition: Condition, source: SelectionSource): Promise<Bitmap | null> {
  if (isIdCondition(condition)) return source.byIds(condition.has_id.map(String));
  if (isGroup(condition)) return selectByFilter(condition, source);
  return "nested" in condition ? selectNested(condition, source) : source.byKey(condition);
}

/** The payload and its metadata are one element each, so that a nested filter over them is a plain one. */
function selectNested(condition: NestedCondition, source: SelectionSource): Promise<Bitmap | null> {
  const { key, filter } = condition.nested;
  const path = parsePath(keyOf(condition));
  if (path.length === 0) return selectByFilter(filter, source);
  if (path.length === 1 && path[0] === "metadata") return selectByFilter(withPrefix(filter, key), source);
  return selectElements(condition, source, fullBitmap(source.units));
}

/**
 * A nested filter may ask for the point's id beside its element's fields. Ids are decided first, then the rest for those
 * that have them, then for those that have not (Shannon's expansion), within what is left to decide.
 */
async function selectElements(
  condition: NestedCondition,
  source: SelectionSource,
  within: Bitmap,
): Promise<Bitmap | null> {
  const [ids] = idConditionsIn(condition.nested.filter);
  if (ids === undefined) return source.byKey(condition);
  if (isEmptyBitmap(within)) return within;
  const named = await source.byIds(ids.has_id.map(String));
  if (named === null) return null;
  const unnamed = complement(named, source.units);
  const [having, lacking] = await Promise.all([
    selectElements(resolved(condition, ids, EVERYTHING), source, intersect(within, named)),
    selectElements(resolved(condition, ids, NOTHING), source, intersect(within, unnamed)),
  ]);
  if (having === null || lacking === null) return null;
  const selected = intersect(having, named);
  unite(selected, intersect(lacking, unnamed));
  return selected;
}

function resolved(condition: NestedCondition, ids: IdCondition, replacement: Filter): NestedCondition {
  const { key, filter } = condition.nested;
  return { nested: { key, filter: withoutIds(filter, ids, replacement) } };
}
