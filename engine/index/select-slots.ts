import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { clauseOf, compileCondition, type FilterablePoint } from "../filter/compile.ts";
import {
  type Bitmap,
  createBitmap,
  forEachBit,
  hasBit,
  intersect,
  setBit,
  subtract,
  unite,
} from "./bitmap.ts";

/** What a set of slots must tell so that a filter can be applied to it. */
export interface FilterableSlots {
  point(slot: number): FilterablePoint;
  /** The slots whose field has the value; null when the field has no bitmaps. */
  slotsWith(key: string, value: unknown): Bitmap | null;
  /** The slots known by the id. */
  slotsOf(id: string): Iterable<number>;
}

/** Returns those of the candidates that pass the filter; bitmaps first, so that predicates see what is left. */
export function selectSlots(filter: Filter, candidates: Bitmap, slots: FilterableSlots): Bitmap {
  const select = (condition: Condition, from: Bitmap) => selectByCondition(condition, from, slots);
  let selected = candidates;
  for (const condition of cheapestFirst(clauseOf(filter.must), slots)) selected = select(condition, selected);
  for (const condition of cheapestFirst(clauseOf(filter.must_not), slots)) {
    selected = subtract(selected, select(condition, selected));
  }
  const should = clauseOf(filter.should);
  if (should.length > 0) {
    const any = emptyLike(selected);
    for (const condition of should) unite(any, select(condition, selected));
    selected = any;
  }
  const least = filter.min_should ?? null;
  if (least !== null && least.min_count > 0) {
    const sets = least.conditions.map((condition) => select(condition, selected));
    const enough = emptyLike(selected);
    forEachBit(selected, (slot) => {
      if (sets.filter((set) => hasBit(set, slot)).length >= least.min_count) setBit(enough, slot);
    });
    selected = enough;
  }
  return selected;
}

function selectByCondition(condition: Condition, candidates: Bitmap, slots: FilterableSlots): Bitmap {
  if ("match" in condition && ("value" in condition.match || "any" in condition.match)) {
    const values: readonly unknown[] =
      "any" in condition.match ? condition.match.any : [condition.match.value];
    const any = emptyLike(candidates);
    const sets = values.map((value) => slots.slotsWith(condition.key, value));
    if (sets.every((set) => set !== null)) {
      for (const set of sets) unite(any, set);
      return intersect(candidates, any);
    }
  }
  if ("has_id" in condition) {
    const named = emptyLike(candidates);
    for (const id of condition.has_id) {
      for (const slot of slots.slotsOf(String(id))) if (hasBit(candidates, slot)) setBit(named, slot);
    }
    return named;
  }
  if (isGroup(condition)) return selectSlots(condition, candidates, slots);
  const test = compileCondition(condition);
  const passed = emptyLike(candidates);
  forEachBit(candidates, (slot) => {
    if (test(slots.point(slot))) setBit(passed, slot);
  });
  return passed;
}

function isGroup(condition: Condition): condition is Filter {
  return ["match", "range", "values_count", "is_empty", "is_null", "has_id", "nested"].every(
    (name) => !(name in condition),
  );
}

function cheapestFirst(conditions: readonly Condition[], slots: FilterableSlots): readonly Condition[] {
  const cost = (condition: Condition) =>
    "has_id" in condition || ("match" in condition && slots.slotsWith(condition.key, "") !== null) ? 0 : 1;
  return conditions.toSorted((left, right) => cost(left) - cost(right));
}

function emptyLike({ words }: Bitmap): Bitmap {
  return createBitmap(words.length * 32);
}
