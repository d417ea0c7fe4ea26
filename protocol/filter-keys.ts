/** The way from a caller's filter to the payload that every tier stores with a passage. */
import type { Condition, Filter } from "./filter.ts";

/**
 * Payload of a passage at every tier; `published_at` is left out where the document has none.
 *
 * A filter that went through `mapFilterKeys` means the same wherever it is evaluated over this layout.
 */
export interface PassagePayload {
  readonly document_id: string;
  readonly ordinal: number;
  readonly version: string;
  readonly collection: string;
  readonly residency: string;
  readonly tier: string;
  readonly lang: string | null;
  readonly published_at?: string;
  readonly title: string;
  readonly text: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** What callers filter by under its bare name; every other bare key is one of the document's metadata. */
export const DOCUMENT_FILTER_KEYS = ["lang", "residency", "collection", "tier", "published_at"] as const;

const DOCUMENT_KEYS: ReadonlySet<string> = new Set(DOCUMENT_FILTER_KEYS);
const PASSAGE_ID = /^([A-Za-z0-9._~-]{1,256})#([1-9]\d{0,8})$/;

/** `lang` → `lang`, `source` → `metadata.source`, `metadata.source` → itself. */
export function mapFilterKey(key: string): string {
  return DOCUMENT_KEYS.has(key) || key === "metadata" || key.startsWith("metadata.")
    ? key
    : `metadata.${key}`;
}

/**
 * Rewrites a caller's filter for the payload: keys by `mapFilterKey`, document ids and passage ids in
 * `has_id` as conditions, since no caller knows the ids that a tier gives its points.
 *
 * ```ts
 * mapFilterKeys({ must: [{ has_id: ["gdpr", "udhr#3"] }] });
 * // must: [{ should: [document_id any ["gdpr"], { must: [document_id "udhr", ordinal 3] }] }]
 * ```
 */
export function mapFilterKeys(filter: Filter): Filter {
  return {
    ...(filter.must === undefined ? {} : { must: mapClause(filter.must) }),
    ...(filter.should === undefined ? {} : { should: mapClause(filter.should) }),
    ...(filter.must_not === undefined ? {} : { must_not: mapClause(filter.must_not) }),
    ...(filter.min_should === undefined ? {} : { min_should: mapMinShould(filter.min_should) }),
  };
}

function mapClause(clause: Filter["must"]): Filter["must"] {
  if (clause === null || clause === undefined) return clause;
  return isList(clause) ? clause.map(mapCondition) : mapCondition(clause);
}

function isList(clause: Condition | readonly Condition[]): clause is readonly Condition[] {
  return Array.isArray(clause);
}

function mapMinShould(minShould: Filter["min_should"]): Filter["min_should"] {
  if (minShould === null || minShould === undefined) return minShould;
  return { min_count: minShould.min_count, conditions: minShould.conditions.map(mapCondition) };
}

function mapCondition(condition: Condition): Condition {
  if ("has_id" in condition) return idCondition(condition.has_id);
  if ("is_empty" in condition) return { is_empty: { key: mapFilterKey(condition.is_empty.key) } };
  if ("is_null" in condition) return { is_null: { key: mapFilterKey(condition.is_null.key) } };
  // Keys inside are relative to the element, so they have no document field to be confused with.
  if ("nested" in condition)
    return { nested: { key: mapFilterKey(condition.nested.key), filter: condition.nested.filter } };
  if ("key" in condition) return { ...condition, key: mapFilterKey(condition.key) };
  return mapFilterKeys(condition);
}

/** A document id stands for all of its passages; what is neither form of id matches nothing. */
function idCondition(ids: readonly (string | number)[]): Condition {
  const documents: string[] = [];
  const passages: Condition[] = [];
  for (const id of ids) {
    const [, document, ordinal] = PASSAGE_ID.exec(String(id)) ?? [];
    if (document === undefined || ordinal === undefined) {
      documents.push(String(id));
      continue;
    }
    passages.push({
      must: [
        { key: "document_id", match: { value: document } },
        { key: "ordinal", match: { value: Number(ordinal) } },
      ],
    });
  }
  const whole: Condition = { key: "document_id", match: { any: documents } };
  return passages.length === 0 ? whole : { should: [whole, ...passages] };
}
