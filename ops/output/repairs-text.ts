/** What was found wrong and healed, for people. */
import type { RepairList } from "@kattegat/protocol/digests.ts";
import { findingOf, type SiteComparison } from "./comparison-finding.ts";
import { table } from "./table.ts";

export function formatRepairs({
  sites,
  repairs,
}: {
  readonly sites: readonly SiteComparison[];
  readonly repairs: RepairList["repairs"];
}): string {
  const listed = table([
    ["time", "site", "what", "document", "class", "sequence", "why"],
    ...repairs.map(({ at, site, kind, document_id: id, class: name, sequence, detail }) => [
      at,
      site,
      kind,
      id,
      name,
      sequence,
      detail,
    ]),
  ]);
  return [
    ...formatComparisons(sites),
    "",
    ...(repairs.length === 0 ? ["No copy has needed a repair."] : listed),
  ].join("\n");
}

/** One line for each site, then what of them has to be looked at. */
export function formatComparisons(sites: readonly SiteComparison[]): readonly string[] {
  if (sites.length === 0) return ["No site has been compared yet."];
  const found = sites.flatMap((each) => {
    const finding = findingOf(each);
    return finding === null ? [] : [`${each.site}: ${finding}`];
  });
  return [...comparisonTable(sites), ...(found.length === 0 ? [] : ["", ...found])];
}

function comparisonTable(sites: readonly SiteComparison[]): readonly string[] {
  const numbers = ["rounds", "found", "repaired", "pending", "unhealed", "unread", "exchanged"];
  return table(
    [
      ["site", "copies", "compared at", "reported at", ...numbers],
      ...sites.map(({ site, comparison }) =>
        comparison === null
          ? [site, "no report", "–", "–", ...numbers.map(() => "–")]
          : [site, ...cellsOf(comparison)],
      ),
    ],
    { right: numbers.map((_, at) => at + 4) },
  );
}

function cellsOf(comparison: NonNullable<SiteComparison["comparison"]>): readonly string[] {
  const { state, detail, rounds, found, repaired, pending, unhealed, unread, bytes } = comparison;
  const copies = state.replaceAll("_", " ");
  return [
    detail === null ? copies : `${copies}: ${detail}`,
    comparison.compared_at ?? "–",
    comparison.reported_at,
    ...[rounds, found, repaired, pending, unhealed, unread].map(String),
    `${Math.ceil(bytes / 1_000).toLocaleString("en")} kB`,
  ];
}
