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
  const { receipts, gone, lost } = outcomesOf(erased);
  const states = (unfinished ?? [])
    .flatMap(({ sites }) => sites.map(stateOf))
    .filter((state) => state !== null);
  const counts = [...new Set(states)].map(
    (state) => `  ${state} (${states.filter((other) => other === state).length})`,
  );
  return [
    `${receipts.length} documents erased${gone.length === 0 ? "" : `, ${gone.length} were gone before`}`,
    ...(unfinished === null
      ? erased.slice(0, SHOWN_MAX).map((document) => `  ${document.id}  ${outcomeOf(document)}`)
      : unfinished.length > 0
        ? counts.toSorted()
        : receipts.length > 0
          ? ["removed from the disks of every site"]
          : []),
    ...(lost.length === 0 ? [] : [lostText(lost)]),
    ...(changed.length === 0 ? [] : [changedText(changed)]),
  ].join("\n");
}

/** What became of the documents that are not there any more. */
export function outcomesOf(erased: readonly ErasedDocument[]) {
  return {
    receipts: erased.flatMap(({ receipt }) => (receipt === null ? [] : [receipt])),
    gone: erased.filter(({ receipt, receipt_lost }) => receipt === null && receipt_lost !== true),
    lost: erased.filter(({ receipt_lost }) => receipt_lost === true),
  };
}

function outcomeOf({ receipt, receipt_lost }: ErasedDocument): string {
  return receipt ?? (receipt_lost === true ? "is gone, its receipt is lost" : "was gone before");
}

function lostText(lost: readonly ErasedDocument[]): string {
  return [
    `${lost.length} documents are gone; the address of the receipt was lost with an answer, so when every site is rid of them is NOT known here:`,
    ...shown(lost, ({ id }) => `  ${id}`),
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
