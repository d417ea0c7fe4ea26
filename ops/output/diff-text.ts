/** The difference of two network files as text for a person. */
import type { ChangedCopies, ChangedRight, NetworkDiff } from "@kattegat/config/diff.ts";
import { ALWAYS } from "@kattegat/config/day.ts";
import type { Census } from "@kattegat/protocol/census.ts";
import type { Painter } from "./painter.ts";
import { table } from "./table.ts";

interface WeighedCopies extends ChangedCopies {
  /** Of this class and tier; null without a network. */
  readonly documents: number | null;
  /** All copies that are made; null without a network. */
  readonly bytes: number | null;
}

export interface WeighedDiff extends Omit<NetworkDiff, "copies"> {
  readonly copies: readonly WeighedCopies[];
  /** Null without a network. */
  readonly totals: {
    readonly copied: number;
    readonly deleted: number;
    readonly bytes: number;
    /** Until the site with most changes has them all. */
    readonly hours: number;
  } | null;
}

const SECONDS_PER_HOUR = 3_600;
/** More countries than this are counted, not listed. */
const PLACES_SHOWN_MAX = 12;

export function weighDiff(
  diff: NetworkDiff,
  census: Census | null,
  { changesPerSecond }: { readonly changesPerSecond: number },
): WeighedDiff {
  const copies = diff.copies.map((each): WeighedCopies => {
    if (census === null) return { ...each, documents: null, bytes: null };
    const group = census.groups.find(
      ({ residency, tier }) => residency === each.residency && tier === each.tier,
    );
    return { ...each, documents: group?.documents ?? 0, bytes: (group?.bytes ?? 0) * each.to.length };
  });
  if (census === null) return { ...diff, copies, totals: null };
  const changes = new Map<string, number>();
  for (const { from, to, documents } of copies)
    for (const site of [...from, ...to]) changes.set(site, (changes.get(site) ?? 0) + (documents ?? 0));
  const sum = (of: (each: WeighedCopies) => number): number =>
    copies.reduce((total, each) => total + of(each), 0);
  return {
    ...diff,
    copies,
    totals: {
      copied: sum(({ documents, to }) => (documents ?? 0) * to.length),
      deleted: sum(({ documents, from }) => (documents ?? 0) * from.length),
      bytes: sum(({ bytes }) => bytes ?? 0),
      hours: Math.max(0, ...changes.values()) / changesPerSecond / SECONDS_PER_HOUR,
    },
  };
}

export function formatDiff(
  diff: WeighedDiff,
  { missing, paint }: { readonly missing: string | null; readonly paint: Painter },
): string {
  const { policy, copies, permitted, forbidden, totals } = diff;
  const isSame = copies.length + permitted.length + forbidden.length === 0;
  if (isSame)
    return `nothing changes${policy.before === policy.after ? "" : `; policy ${policy.before} becomes ${policy.after}`}`;
  const number = (value: number | null): string => (value === null ? "?" : value.toLocaleString("en-US"));
  const rows = copies.map(({ change, residency, tier, from, to, documents, bytes }) => [
    change,
    residency,
    tier,
    from.join(", ") || "-",
    to.join(", ") || "-",
    number(documents),
    number(bytes),
  ]);
  return [
    `${paint.bold("policy")} ${policy.before} becomes ${policy.after}`,
    ...section("copies", rows.length === 0 ? [] : table([HEAD, ...rows], { right: [5, 6] }), paint),
    ...(totals === null
      ? ["", `not counted: ${missing ?? "no network was asked"}`]
      : [
          "",
          `${number(totals.copied)} copies are made, ${number(totals.deleted)} deleted, about ${number(totals.bytes)} bytes in ${totals.hours.toFixed(2)} hours`,
        ]),
    ...section("newly permitted: a widening", permitted.map(rightLine), paint),
    ...section("newly forbidden", forbidden.map(rightLine), paint),
  ].join("\n");
}

const HEAD = ["change", "class", "tier", "from", "to", "documents", "bytes"];

function section(title: string, lines: readonly string[], paint: Painter): readonly string[] {
  return lines.length === 0 ? [] : ["", paint.bold(title), ...lines.map((line) => `  ${line}`)];
}

function rightLine({ kind, className, places, before, after }: ChangedRight): string {
  const shown =
    places.length > PLACES_SHOWN_MAX
      ? `${places.slice(0, PLACES_SHOWN_MAX).join(", ")} and ${places.length - PLACES_SHOWN_MAX} more`
      : places.join(", ");
  return `${className}  ${kind}: ${shown}${spanOf(before, after)}`;
}

function spanOf(before: string | null, after: string | null): string {
  const dayOf = (day: string | null): string =>
    day === null ? "never" : day === ALWAYS ? "without end" : `until ${day}`;
  const isPlain = [before, after].every((day) => day === null || day === ALWAYS);
  return isPlain ? "" : ` (${dayOf(before)}, then ${dayOf(after)})`;
}
