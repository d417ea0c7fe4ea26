import { elementsAt, parsePath } from "../filter/path.ts";
import { type Bitmap, clearBit, createBitmap, grown, setBit } from "./bitmap.ts";

/** The slots of each value of one payload field. */
export interface KeywordField {
  add(slot: number, payload: Readonly<Record<string, unknown>>): void;
  remove(slot: number, payload: Readonly<Record<string, unknown>>): void;
  slotsWith(value: unknown): Bitmap;
}

type Members = { readonly few: Set<number> } | { bitmap: Bitmap; size: number };

/** Below a bit in 128 a set of numbers is smaller than a bitmap: a field of ids must not cost a bitmap for each id. */
const BITMAP_SHARE = 128;

/** Creates the slot sets of a field; `capacity` gives the present number of slots. */
export function createKeywordField(key: string, capacity: () => number): KeywordField {
  const path = parsePath(key);
  const sets = new Map<unknown, Members>();
  const valuesOf = (payload: Readonly<Record<string, unknown>>) => new Set(elementsAt(payload, path));
  const toBitmap = (slots: Iterable<number>) => {
    const bitmap = createBitmap(capacity());
    for (const slot of slots) setBit(bitmap, slot);
    return bitmap;
  };
  function addTo(value: unknown, slot: number): void {
    const members = sets.get(value) ?? { few: new Set() };
    if ("bitmap" in members) {
      members.bitmap = grown(members.bitmap, capacity());
      setBit(members.bitmap, slot);
      members.size += 1;
      return;
    }
    members.few.add(slot);
    const isMany = members.few.size > capacity() / BITMAP_SHARE;
    sets.set(value, isMany ? { bitmap: toBitmap(members.few), size: members.few.size } : members);
  }
  function removeFrom(value: unknown, slot: number): void {
    const members = sets.get(value);
    if (members === undefined) return;
    if ("bitmap" in members) {
      clearBit(members.bitmap, slot);
      members.size -= 1;
    } else {
      members.few.delete(slot);
    }
    if (("bitmap" in members ? members.size : members.few.size) === 0) sets.delete(value);
  }
  return {
    add(slot, payload) {
      for (const value of valuesOf(payload)) addTo(value, slot);
    },
    remove(slot, payload) {
      for (const value of valuesOf(payload)) removeFrom(value, slot);
    },
    slotsWith(value) {
      const members = sets.get(value);
      if (members === undefined) return createBitmap(0);
      return "bitmap" in members ? members.bitmap : toBitmap(members.few);
    },
  };
}
