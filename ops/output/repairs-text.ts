/** What was found wrong and healed, for people. */
import type { Comparison, RepairList } from "@kattegat/protocol/digests.ts";
import { table } from "./table.ts";

export interface SiteComparison {
  readonly site: string;
  readonly comparison: Comparison;
}

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

/** One line for each site; none where no site was compared yet. */
export function formatComparisons(sites: readonly SiteComparison[]): readonly string[] {
  if (sites.length === 0) return ["No site has been compared yet."];
  return table(
    [
      [
        "site",
        "copies",
        "compared at",
        "rounds",
        "found",
        "repaired",
        "pending",
        "unhealed",
        "unread",
        "exchanged",
      ],
      ...sites.map(({ site, comparison }) => [
        site,
        comparison.detail === null
          ? comparison.state.replaceAll("_", " ")
          : `${comparison.state.replaceAll("_", " ")}: ${comparison.detail}`,
        comparison.compared_at ?? "–",
        ...[
          comparison.rounds,
          comparison.found,
          comparison.repaired,
          comparison.pending,
          comparison.unhealed,
          comparison.unread,
        ].map(String),
        `${Math.ceil(comparison.bytes / 1_000).toLocaleString("en")} kB`,
      ]),
    ],
    { right: [3, 4, 5, 6, 7, 8, 9] },
  );
}
