import type { TierName } from "@kattegat/config/network.ts";
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { mapFilterKeys } from "@kattegat/protocol/filter-keys.ts";
import { compileCondition } from "../filter/compile.ts";
import type { DocumentPart } from "./base/parts.ts";

const EVERYTHING: Condition = { must: [] };
const NOTHING: Condition = { has_id: [] };
const COLD: TierName = "cold";

/** What every search of a cold index is limited to. */
export interface ColdLimits {
  readonly filter: Filter | null;
  readonly collection: string;
  /** Residency classes to look among. */
  readonly classes: readonly string[];
}

/** The caller's filter with what every search is limited to. */
export function filterOf({ filter, collection, classes }: ColdLimits): Filter {
  return {
    must: [
      { key: "collection", match: { value: collection } },
      { key: "residency", match: { any: [...classes] } },
      ...(filter === null ? [] : [coldFilterOf(filter)]),
    ],
  };
}

/** The same for a base; null when the limits leave every document in, so that no bitmap need be made. */
export function baseFilterOf(
  documents: Pick<DocumentPart, "collections" | "classes">,
  limits: ColdLimits,
): Filter | null {
  const isOpenToAll =
    limits.filter === null &&
    documents.collections.every((name) => name === limits.collection) &&
    documents.classes.every((name) => limits.classes.includes(name));
  return isOpenToAll ? null : filterOf(limits);
}

/**
 * Maps the filter as every tier does, then says what a segment keeps beside its payload in the segment's own words:
 * ids through `has_id`, the tier through what is true of all cold passages.
 */
export function coldFilterOf(filter: Filter): Filter {
  return rewritten(mapFilterKeys(filter));
}

function rewritten(filter: Filter): Filter {
  return {
    ...(filter.must === undefined ? {} : { must: clause(filter.must) }),
    ...(filter.should === undefined ? {} : { should: clause(filter.should) }),
    ...(filter.must_not === undefined ? {} : { must_not: clause(filter.must_not) }),
    ...(filter.min_should === undefined || filter.min_should === null
      ? {}
      : {
          min_should: {
            min_count: filter.min_should.min_count,
            conditions: filter.min_should.conditions.map(condition),
          },
        }),
  };
}

function clause(conditions: Filter["must"]): Filter["must"] {
  if (conditions === null || conditions === undefined) return conditions;
  return isList(conditions) ? conditions.map(condition) : condition(conditions);
}

function isList(conditions: Condition | readonly Condition[]): conditions is readonly Condition[] {
  return Array.isArray(conditions);
}

function condition(original: Condition): Condition {
  // Keys inside `nested` are relative to the element, so none of them is a field of the passage.
  if ("nested" in original || "has_id" in original) return original;
  if ("key" in original) return ofField(original, original.key);
  if ("is_empty" in original) return ofField(original, original.is_empty.key);
  if ("is_null" in original) return ofField(original, original.is_null.key);
  return passageId(original) ?? rewritten(original);
}

function ofField(original: Condition, key: string): Condition {
  if (key === "tier") return ofEveryColdPassage(original) ? EVERYTHING : NOTHING;
  return key === "document_id" ? idsOf(original) : original;
}

/** A segment keeps no tier, since all of its passages have the same: the condition is asked once, of that one. */
function ofEveryColdPassage(original: Condition): boolean {
  return compileCondition(original)({ id: "", payload: { tier: COLD } });
}

/** A caller's own `document_id` is a key of the metadata, so what comes here is what `mapFilterKeys` makes of `has_id`. */
function idsOf(original: Condition): Condition {
  if ("match" in original && "any" in original.match) return { has_id: original.match.any.map(String) };
  throw new Error("cold filter: only mapFilterKeys asks for document_id, by `any`");
}

/** The form in which `mapFilterKeys` writes a passage id. */
function passageId(filter: Filter): Condition | null {
  if (!Array.isArray(filter.must) || filter.must.length !== 2) return null;
  const [document, ordinal]: readonly unknown[] = filter.must;
  const id = valueOf(document, "document_id");
  const place = valueOf(ordinal, "ordinal");
  return id === null || place === null ? null : { has_id: [`${id}#${place}`] };
}

function valueOf(value: unknown, key: string): string | null {
  if (
    typeof value !== "object" ||
    value === null ||
    !("key" in value) ||
    value.key !== key ||
    !("match" in value)
  )
    return null;
  const match: unknown = value.match;
  return typeof match === "object" && match !== null && "value" in match ? String(match.value) : null;
}
