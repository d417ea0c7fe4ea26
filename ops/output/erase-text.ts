/** An erasure for a terminal. */
import type { Receipt } from "@kattegat/protocol/documents.ts";
import type { ChangedDocument, ErasedDocument } from "../erase/erase-documents.ts";
import type { FoundDocument } from "../erase/find-doomed.ts";
import { table } from "./table.ts";

/** More are in the JSON. */
const SHOWN_MAX = 10;

export interface Erasure {
  readonly erased: readonly ErasedDocument[];
  readonly changed: readonly ChangedDocument[];
  /** Null when nobody waits for receipts. */
  readonly unfinished: readonly Receipt[] | null;
}

export function formatPlanned(found: readonly FoundDocument[]): string {
  if (found.length === 0) return "No document is meant.";
  const groups = new Map<string, number>();
  for (const { residency = "", tier = "", collection = "" } of found) {
    const name = [residency, tier, collection].join("\t");
    groups.set(name, (groups.get(name) ?? 0) + 1);
  }
  const isKnown = found.some(({ residency }) => residency !== undefined);
  const rows = [...groups].map(([name, count]) => [...name.split("\t"), String(count)]);
  return [
    `${found.length} documents would be erased:`,
    ...shown(found, ({ id, version }) => `  ${id}${version === undefined ? "" : `  version ${version}`}`),
    ...(isKnown
      ? ["", ...table([["class", "tier", "collection", "documents"], ...rows], { right: [3] })]
      : []),
  ].join("\n");
}

export function formatErasure({ erased, changed, unfinished }: Erasure): string {
  const gone = erased.filter(({ receipt }) => receipt === null).length;
  const states = (unfinished ?? [])
    .flatMap(({ sites }) => sites.map(stateOf))
    .filter((state) => state !== null);
  const counts = [...new Set(states)].map(
    (state) => `  ${state} (${states.filter((other) => other === state).length})`,
  );
  return [
    `${erased.length - gone} documents erased${gone === 0 ? "" : `, ${gone} were gone before`}`,
    ...(unfinished === null
      ? erased.slice(0, SHOWN_MAX).map(({ id, receipt }) => `  ${id}  ${receipt ?? "was gone before"}`)
      : unfinished.length === 0
        ? ["removed from the disks of every site"]
        : counts.toSorted()),
    ...(changed.length === 0 ? [] : [changedText(changed)]),
  ].join("\n");
}

function changedText(changed: readonly ChangedDocument[]): string {
  return [
    `${changed.length} documents are of another version than was meant, and were NOT erased; look at them again:`,
    ...shown(
      changed,
      ({ id, version, now }) => `  ${id}  version ${version} was meant, ${now ?? "another"} is there`,
    ),
  ].join("\n");
}

function shown<T>(all: readonly T[], line: (each: T) => string): readonly string[] {
  const lines = all.slice(0, SHOWN_MAX).map(line);
  return all.length > SHOWN_MAX ? [...lines, `  … and ${all.length - SHOWN_MAX} more`] : lines;
}

/** Null when the site is rid of the document. */
function stateOf({ site, confirmed_at, removed_at }: Receipt["sites"][number]): string | null {
  if (removed_at !== null) return null;
  return `${site} has ${confirmed_at === null ? "not confirmed" : "hidden it, not removed"}`;
}
