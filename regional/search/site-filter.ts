/** The filter that Qdrant gets for one search. */
import type { Condition, Filter } from "@kattegat/protocol/filter.ts";
import { mapFilterKeys } from "@kattegat/protocol/filter-keys.ts";

export interface SearchScope {
  readonly collection: string;
  /** Classes that the caller may be served and this site may hold. */
  readonly classes: readonly string[];
  readonly filter: Filter | null;
}

/** Collection, classes, and what the caller asked for; the caller's filter stands alone, so that it can only narrow. */
export function siteFilterOf({ collection, classes, filter }: SearchScope): { readonly must: Condition[] } {
  return {
    must: [
      { key: "residency", match: { any: [...classes] } },
      { key: "collection", match: { value: collection } },
      ...(filter === null || isEmpty(filter) ? [] : [mapFilterKeys(filter)]),
    ],
  };
}

function isEmpty(filter: Filter): boolean {
  return Object.values(filter).every((clause) => clause === null || clause === undefined);
}
